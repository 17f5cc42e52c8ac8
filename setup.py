"""Builds the C core (csrc/) into one static library, linked into each Cython module of merklecore/_native.

Environment, for builds only:

    MERKLECORE_NO_EXTENSION=1   pure Python: the reference backend alone
    MERKLECORE_PORTABLE=1       no kernels but portable C
    MERKLECORE_SANITIZE=1       AddressSanitizer and UndefinedBehaviorSanitizer
    MERKLECORE_WERROR=1         warnings in csrc/ are errors
    MERKLECORE_QUICK=1          not optimised: for tests that build again and again

What else there is to say about the project stands in pyproject.toml.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from glob import glob
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_clib import build_clib
from setuptools.command.build_ext import build_ext
from setuptools.modified import newer_group

LIBRARY = "merklecore"
SOURCES = sorted(glob("csrc/**/*.c", recursive=True))
HEADERS = sorted(glob("csrc/**/*.h", recursive=True))
DECLARATIONS = sorted(glob("merklecore/_native/*.pxd"))
MODULES = sorted(glob("merklecore/_native/*.pyx"))
DIRECTIVES = {
    "language_level": 3,
    "auto_pickle": False,  # views and nodes hold pointers; what is pickled are profiles and proofs, above
    "autotestdict": False,  # doctest finds the examples where they are bound
}


def asked(name):
    return os.environ.get(f"MERKLECORE_{name}", "0") not in ("", "0")


FLAGS = ["-std=c11", "-O3", "-g0", "-fvisibility=hidden", "-pthread"]
LINK_FLAGS = ["-pthread"]
WARNINGS = ["-Wall", "-Wextra"]  # of code written by hand; what Cython writes is its own affair
if asked("SANITIZE"):
    SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    FLAGS += ["-O1", "-g1", "-fno-omit-frame-pointer", *SANITIZERS]
    LINK_FLAGS += SANITIZERS
if asked("PORTABLE"):
    FLAGS.append("-DMC_PORTABLE_ONLY")
if asked("QUICK"):
    FLAGS.append("-O0")
if asked("WERROR"):
    WARNINGS.append("-Werror")


class Recipe:
    """What the files of a folder were made with: by other flags, or another setup.py, all are made anew."""

    def __init__(self, folder):
        self.path = Path(folder, "recipe")
        compiler = [os.environ.get(name, "") for name in ("CC", "CFLAGS", "LDFLAGS")]
        self.wanted = "\n".join([*FLAGS, *WARNINGS, *compiler, Path(__file__).read_text()])

    def differs(self):
        return not self.path.exists() or self.path.read_text() != self.wanted

    def note(self):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(self.wanted)


class BuildLibrary(build_clib):
    """Compiles what changed in csrc/, several files at a time; an edited header recompiles every file.

    No interpreter has a part in it: those that build in one tree share the objects, and what Cython writes.
    """

    def finalize_options(self):
        modules = self.get_finalized_command("build_ext")
        self.build_temp = self.build_clib = os.path.join(os.path.dirname(modules.build_temp), "common")
        super().finalize_options()
        self.recipe = Recipe(self.build_temp)
        self.force = modules.asked_anew or self.recipe.differs()

    def build_libraries(self, libraries):
        objects = self.compiler.object_filenames(SOURCES, output_dir=self.build_temp)
        stale = [
            source
            for source, made in zip(SOURCES, objects, strict=True)
            if self.force or newer_group([source, *HEADERS], made, missing="newer")
        ]

        def compile_one(source):
            self.compiler.compile([source], output_dir=self.build_temp, extra_postargs=FLAGS + WARNINGS)

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(compile_one, stale))
        if stale or newer_group(objects, self.archive(), missing="newer"):
            Path(self.archive()).unlink(missing_ok=True)  # so that nothing stays of a file that is gone
            self.compiler.create_static_lib(objects, LIBRARY, output_dir=self.build_clib)

    def archive(self):
        return os.path.join(self.build_clib, f"lib{LIBRARY}.a")


class BuildModules(build_ext):
    """Relinks the modules whenever the library changed; builds all anew when the flags or this file did."""

    def finalize_options(self):
        super().finalize_options()
        self.parallel = self.parallel or os.cpu_count()
        self.recipe = Recipe(self.build_temp)
        self.asked_anew = self.force
        self.force = self.force or self.recipe.differs()

    def run(self):
        self.run_command("build_clib")
        super().run()
        for command in ("build_clib", "build_ext"):  # not before all is there
            self.get_finalized_command(command).recipe.note()

    def build_extensions(self):
        from Cython.Build import cythonize

        library = self.get_finalized_command("build_clib")
        archive = library.archive()
        options = {"compiler_directives": DIRECTIVES, "include_path": ["csrc"], "quiet": True}
        where = {"build_dir": library.build_temp, "force": library.force}
        for extension in self.extensions:  # one by one: compilers run side by side, Cython cannot
            extension.sources = cythonize(extension, **where, **options)[0].sources
            extension.depends = [archive, *HEADERS, *DECLARATIONS]
            extension.extra_objects = [archive]  # linked anew when it is newer, which a library is not
        compile_one = self.compiler._compile

        def compile_stale(made, source, *how):
            """Of a module whose library alone changed, nothing: setuptools would compile it to link it."""
            if self.force or newer_group([source, *HEADERS], made, missing="newer"):
                compile_one(made, source, *how)

        self.compiler._compile = compile_stale
        super().build_extensions()


def module(path):
    name = path.removesuffix(".pyx").replace(os.sep, ".")
    return Extension(
        name, [path], include_dirs=["csrc"], extra_compile_args=FLAGS, extra_link_args=LINK_FLAGS
    )


if asked("NO_EXTENSION"):
    setup()
else:
    setup(
        libraries=[(LIBRARY, {"sources": SOURCES})],
        ext_modules=[module(path) for path in MODULES],
        cmdclass={"build_clib": BuildLibrary, "build_ext": BuildModules},
    )

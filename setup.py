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
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from fcntl import LOCK_EX, flock
from glob import glob
from hashlib import sha256
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
HAND_WRITTEN = ["-Wall", "-Wextra"]  # more of them, for csrc/; what Cython writes is its own affair
if asked("SANITIZE"):
    SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    FLAGS += ["-O1", "-g1", "-fno-omit-frame-pointer", *SANITIZERS]
    LINK_FLAGS += SANITIZERS
if asked("PORTABLE"):
    FLAGS.append("-DMC_PORTABLE_ONLY")
if asked("QUICK"):
    FLAGS.append("-O0")
    HAND_WRITTEN.append("-O1")  # for csrc/ alone: without it gcc 12 takes four times as long over avx2.c
if asked("WERROR"):
    HAND_WRITTEN.append("-Werror")


def recipe():
    """All that decides what comes out of csrc/ and of Cython: what another one made is not to be used."""
    from Cython import __version__ as cython

    chosen = [os.environ.get(name, "") for name in ("CC", "CFLAGS", "LDFLAGS")]
    found = [*sysconfig.get_config_vars("CC", "CFLAGS", "CCSHARED"), sysconfig.get_platform(), cython]
    return "\n".join(map(str, [*FLAGS, *HAND_WRITTEN, *chosen, *found, Path(__file__).read_text()]))


class BuildLibrary(build_clib):
    """Compiles what changed in csrc/, several files at a time; an edited header recompiles every file."""

    def finalize_options(self):
        modules = self.get_finalized_command("build_ext")
        self.build_temp = self.build_clib = modules.common
        super().finalize_options()
        self.force = self.force or modules.asked_anew

    def build_libraries(self, libraries):
        objects = self.compiler.object_filenames(SOURCES, output_dir=self.build_temp)
        stale = [
            source
            for source, made in zip(SOURCES, objects, strict=True)
            if self.force or newer_group([source, *HEADERS], made, missing="newer")
        ]

        def compile_one(source):
            self.compiler.compile([source], output_dir=self.build_temp, extra_postargs=FLAGS + HAND_WRITTEN)

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(compile_one, stale))
        if stale or newer_group(objects, self.archive(), missing="newer"):
            Path(self.archive()).unlink(missing_ok=True)  # so that nothing stays of a file that is gone
            self.compiler.create_static_lib(objects, LIBRARY, output_dir=self.build_clib)

    def archive(self):
        return os.path.join(self.build_clib, f"lib{LIBRARY}.a")


class BuildModules(build_ext):
    """Relinks the modules whenever the library changed; builds all anew when the flags or this file did.

    The library and what Cython writes stand in a folder named by what made them, `common`: interpreters that
    would make the same share it, one at a time, and no other build can meet it.
    """

    def finalize_options(self):
        super().finalize_options()
        self.parallel = self.parallel or os.cpu_count()
        self.asked_anew = self.force
        self.recipe, self.wanted = Path(self.build_temp, "recipe"), recipe()
        self.force = self.force or not self.recipe.exists() or self.recipe.read_text() != self.wanted
        ours = self.get_finalized_command("build").build_base  # elsewhere is somebody's temporary directory
        shared = os.path.dirname(self.build_temp) == ours
        name = f"common-{sha256(self.wanted.encode()).hexdigest()[:12]}"
        self.common = os.path.join(ours if shared else self.build_temp, name)

    def run(self):
        if self.force:
            self.recipe.unlink(missing_ok=True)  # from here on nothing here is known to be right
        os.makedirs(self.common, exist_ok=True)
        with open(os.path.join(self.common, "lock"), "w") as lock:
            flock(lock, LOCK_EX)
            self.run_command("build_clib")
            super().run()
        self.recipe.parent.mkdir(parents=True, exist_ok=True)
        self.recipe.write_text(self.wanted)

    def build_extensions(self):
        from Cython.Build import cythonize

        archive = self.get_finalized_command("build_clib").archive()
        options = {"compiler_directives": DIRECTIVES, "build_dir": self.common, "include_path": ["csrc"]}
        for extension in self.extensions:  # one by one: compilers run side by side, Cython cannot
            extension.sources = cythonize(extension, force=self.asked_anew, quiet=True, **options)[0].sources
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

import pickle

import pytest

from merklecore import errors

pytestmark = pytest.mark.any_kernel

BASES = {
    "MerkleCoreError": (Exception,),
    "InputError": (errors.MerkleCoreError, ValueError),
    "BoundsError": (errors.InputError, IndexError),
    "ProofError": (errors.MerkleCoreError,),
    "BlockError": (errors.MerkleCoreError,),
    "BackendError": (errors.MerkleCoreError, RuntimeError),
}


def test_the_tree_is_the_promised_one():
    assert {name: getattr(errors, name).__bases__ for name in errors.__all__} == BASES
    raised = {name for name, value in vars(errors).items() if isinstance(value, type)}
    assert raised == set(BASES)


@pytest.mark.parametrize("name", BASES)
def test_each_is_drawn_and_survives_a_process_boundary(name):
    assert name in errors.__doc__
    error = getattr(errors, name)("what and where")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == "what and where"

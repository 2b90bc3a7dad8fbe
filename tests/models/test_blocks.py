"""What reports say of threads on each model: their order, and where they wait."""

import pytest

from tests.support import MODELS, run_code


@pytest.mark.parametrize("model", MODELS)
def test_threads_are_listed_in_the_order_of_their_start(model: str) -> None:
    code = """
        import threading, weft
        go = threading.Event()
        threads = [threading.Thread(target=go.wait, name=str(n)) for n in range(50)]
        for thread in threads: thread.start()
        print(*[block.name for block in weft.threads()])
        go.set()
    """
    done = run_code(code, model=model).check()
    assert done.stdout.split() == ["MainThread", *map(str, range(50))]


def test_a_wait_without_a_frame_of_the_program_names_what_was_started() -> None:
    code = """
        import threading, time, weft
        go = threading.Event()
        thread = threading.Thread(target=go.wait, name="one")
        thread.start()
        while (wait := weft.threads()[1].wait) is None: time.sleep(0.001)
        print(wait.place)
        go.set()
    """
    assert run_code(code).check().stdout == "the start of 'one', whose target is Event.wait\n"

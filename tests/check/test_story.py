"""What a check says on a terminal, whole: the finding, the story of the threads, the command that replays."""

import re
import textwrap
from pathlib import Path

import pytest

from tests.check.programs import weft, write
from weft.check.values import shown

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

STORIES = {
    "lost update": (
        """
        import threading

        class Counter:
            value = 7

            def add(self):
                self.value += 1

        counter = Counter()
        threads = [threading.Thread(target=counter.add, name=name) for name in ("Ada", "Ben")]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        """,
        """
        failure: race: lost update of self.value
            Ben reads self.value at program.py:8 in Counter.add
            Ada writes self.value at program.py:8 in Counter.add
            Ben writes what it made of the old value of self.value at program.py:8 in Counter.add

        Ada                                                   Ben
                                                              8: self.value += 1  [reads 7]
        8: self.value += 1  [reads 7]
        8: self.value += 1  [writes 8]
                                                              8: self.value += 1  [writes 8]
        (7 other steps are left out)

        found in N executions in T s
        replay: weft replay .weft/program-race.json
        """,
    ),
    "a value read by a method": (
        """
        import threading

        stock = {"egg": 1}
        sold = []

        def buy(who):
            left = stock.get("egg")
            if left:
                stock["egg"] = left - 1
                sold.append(who)

        threads = [threading.Thread(target=buy, args=(name,), name=name) for name in ("Ada", "Ben")]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert len(sold) == 1
        """,
        """
        failure: assertion: AssertionError, in MainThread
            at program.py:18 in <module>

        Ada                                                   Ben
                                                              8: left = stock.get("egg")  [reads {'egg': 1}]
        8: left = stock.get("egg")  [reads {'egg': 1}]
        10: stock["egg"] = left - 1  [writes 0]
        11: sold.append(who)  [now ['Ada']]
                                                              10: stock["egg"] = left - 1  [writes 0]
                                                              11: sold.append(who)  [now ['Ada', 'Ben']]
        (7 other steps are left out)

        found in N executions in T s
        replay: weft replay .weft/program-assertion.json
        """,
    ),
    "deadlock": (
        """
        import threading
        fork, bowl = threading.Lock(), threading.Lock()

        def eat(first, second):
            with first:
                with second:
                    pass

        def eat_too():
            with bowl:
                with fork:
                    pass

        threads = [threading.Thread(target=eat, args=(fork, bowl), name="Al")]
        threads += [threading.Thread(target=eat_too, name="Ben")]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        """,
        """
        failure: deadlock: deadlock of Al, Ben
            MainThread waits for the end of Al, at program.py:20 in <module>
            Al waits for second (bowl), held by Ben, at program.py:7 in eat
            Ben waits for fork, held by Al, at program.py:12 in eat_too

        MainThread                          Al                                  Ben
                                                                                11: with bowl:  [takes bowl]
                                            6: with first:  [takes first]
        20: waits for the end of Al
                                            7: waits for second (bowl), held by Ben
                                                                                12: waits for fork, held by Al
        (5 other steps are left out)

        found in N executions in T s
        replay: weft replay .weft/program-deadlock.json
        """,
    ),
    "lost wakeup": (
        """
        import threading
        ready = threading.Condition()

        def wait():
            with ready:
                ready.wait()

        t = threading.Thread(target=wait, name="Ada")
        t.start()
        with ready:
            ready.notify()
        t.join()
        """,
        """
        failure: lost-wakeup: lost wakeup: Ada waits for a notify that came while nobody waited
            MainThread waits for the end of Ada, at program.py:13 in <module>
            Ada waits for a notify on ready, at program.py:7 in wait

        MainThread                                            Ada
        11: with ready:  [takes ready]
                                                              6: with ready:  [takes ready]
        13: waits for the end of Ada
                                                              7: waits for a notify on ready
        (1 other step is left out)

        found in N executions in T s
        replay: weft replay .weft/program-lost-wakeup.json
        """,
    ),
    "nothing": (
        """
        import threading
        t = threading.Thread(target=print)
        t.start()
        t.join()
        """,
        """
        no failure found in N executions in T s
        complete: there is no schedule that does anything else
        """,
    ),
}


@pytest.mark.parametrize("name", STORIES)
def test_a_story(tmp_path: Path, name: str) -> None:
    program, story = STORIES[name]
    write(tmp_path, program)
    said = weft("check", "program.py", cwd=tmp_path)
    text = re.sub(r"in [\d,]+ executions? in [\d.]+ s", "in N executions in T s", said.stdout)
    text = text.replace(f"{tmp_path}/", "")
    assert text.strip() == textwrap.dedent(story).strip()
    if "replay:" in text:
        again = weft("replay", text.split("weft replay ")[1].strip(), cwd=tmp_path)
        assert again.returncode == 1
        columns = textwrap.dedent(story).strip().split("\n\n")[1]
        assert columns in again.stdout


def test_what_id_gave_is_not_shown() -> None:
    known = object()
    assert shown({id(known): [id(known)], "at": 0x7000_0000_0001}) == "{<id>: [<id>], 'at': 1231..."


@pytest.mark.parametrize(("kind", "name"), [("user", "UserExecutor"), ("thread", "ThreadPoolExecutor")])
def test_what_a_pool_does_within_is_no_part_of_the_story(tmp_path: Path, kind: str, name: str) -> None:
    write(
        tmp_path,
        f"""
        from weft.futures import executor
        n = 0

        def add():
            global n
            n += 1

        with executor("{kind}", 2) as pool:
            for future in [pool.submit(add) for _ in range(2)]:
                future.result()
        """,
    )
    said = weft("check", "program.py", cwd=tmp_path).stdout
    assert [line.strip() for line in said.split("\n\n")[1].splitlines()[1:-1]] == [
        "7: n += 1  [reads 0]",
        "7: n += 1  [reads 0]",
        "7: n += 1  [writes 1]",
        "7: n += 1  [writes 1]",
    ]
    assert re.search(rf"^{name}-0_0 +{name}-0_1$", said, re.MULTILINE)
    assert said.startswith("failure: race: lost update of n\n")


def test_what_a_timer_does_is_part_of_the_story(tmp_path: Path) -> None:
    """Its thread has no line of the program on its stack either, but the program knows of it."""
    write(
        tmp_path,
        """
        import threading
        fired = []
        timer = threading.Timer(1.0, fired.append, ["too late"])
        timer.start()
        threading.Event().wait(1.0)
        timer.cancel()
        timer.join()
        assert not fired
        """,
    )
    said = weft("check", "program.py", cwd=tmp_path).stdout
    assert said.startswith("failure: assertion: AssertionError")
    assert "7: timer.cancel()  [set " in said
    assert "[waits on self.finished]" in said


COUNTS = """
    import threading

    store = {}

    def add():
        for _ in range(17):
            value = store.get("hits", 0)
            store["hits"] = value + 1

    threading.Thread(target=threading.Event().wait, daemon=True).start()
    threads = [threading.Thread(target=add, name=name) for name in ("Ada", "Ben")]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert store["hits"] == 34
"""


def test_a_long_story_of_a_failure_in_main_has_what_the_others_did(tmp_path: Path) -> None:
    write(tmp_path, COUNTS)
    said = weft("check", "program.py", cwd=tmp_path)
    heads = next(line for line in said.stdout.splitlines() if "Ada" in line and "Ben" in line)
    assert heads.split() == ["MainThread", "Ada", "Ben"]
    assert said.stdout.count('store["hits"]') > 9
    (schedule,) = (tmp_path / ".weft").glob("*-assertion.json")
    again = weft("replay", str(schedule.relative_to(tmp_path)), cwd=tmp_path)
    findings = said.stdout.partition("\n\n")[0]
    assert findings.endswith("at program.py:17 in <module>")
    assert again.stdout.endswith(f"\n\n{findings}\n"), "in the same words"


def test_a_program_without_threads_is_told_so(tmp_path: Path) -> None:
    write(tmp_path, "import threading\n\ndef test_it(): threading.Thread(target=int).start()\n", "test_it.py")
    said = weft("check", "test_it.py", cwd=tmp_path).stdout
    assert said.startswith("no failure found in 1 execution in ")
    assert "note: the program has started no thread: there was no order to look for\n" in said
    assert said.endswith("note: to check the tests in it: weft check --all test_it.py\n")
    assert "--all" not in weft("check", str(write(tmp_path, "print()")), cwd=tmp_path).stdout


def test_telling_runs_no_code_of_the_program(tmp_path: Path) -> None:
    program = """
        import threading

        class Key:
            asked = [0]

            def __hash__(self):
                self.asked[0] += 1
                return 1

            def __eq__(self, other):
                return self is other

            def __repr__(self):
                raise AssertionError

        key, table = Key(), {}

        def work():
            table[key] = [key]
            table.update({key: (key,)})

        threads = [threading.Thread(target=work) for _ in range(2)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert Key.asked[0] != 6
    """
    write(tmp_path, program)
    said = weft("check", "program.py", cwd=tmp_path)
    assert "lost update of self.asked[0]" in said.stdout or "AssertionError" in said.stdout
    assert "did not show again" not in said.stdout
    path = said.stdout.split("weft replay ")[1].strip()
    assert weft("replay", path, cwd=tmp_path).returncode == 1


def test_a_long_story_keeps_to_what_it_is_about(tmp_path: Path) -> None:
    program = """
        from concurrent.futures import ThreadPoolExecutor, as_completed

        class Site:
            hits = 0

        def visit():
            Site.hits += 1

        with ThreadPoolExecutor(2) as pool:
            for done in as_completed([pool.submit(visit) for _ in range(6)]):
                done.result()
    """
    write(tmp_path, program)
    said = weft("check", "program.py", cwd=tmp_path).stdout
    story = said.split("\n\n")[1].splitlines()
    assert re.fullmatch(r"ThreadPoolExecutor-0_\d +ThreadPoolExecutor-0_\d", story[0]), (
        "those it is about alone"
    )
    steps = [line for line in story[1:] if "Site.hits += 1" in line]
    assert len(steps) == len(story) - 2, "each but the first and the last is of what was lost"
    read = [each for line in steps for each in re.findall(r"reads (\d)", line)]
    assert len(read) > len(set(read)), "two that read the same"


@pytest.mark.parametrize(
    ("example", "threads"), [("r18_the_race", r"Thread-\d+ .*Thread-\d+ .*"), ("r21_deadlock", "Ada +Ben")]
)
def test_where_threads_are_many_those_of_the_finding_have_columns(
    tmp_path: Path, example: str, threads: str
) -> None:
    said = weft("check", str(EXAMPLES / f"{example}.py"), cwd=tmp_path).stdout
    columns, *steps = said.split("\n\n")[1].splitlines()
    assert re.fullmatch(threads, columns)
    assert len(columns.replace(" (take_one)", "").split()) == 2
    assert 4 <= len([step for step in steps if not step.startswith("(")]) <= 12
    assert all(len(step) <= 110 for step in steps)

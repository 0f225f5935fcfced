"""A party answers each round once and the same for ever after, whatever the network and its own power supply do."""

import itertools
from pathlib import Path

import pytest
import toy_party
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_party import Add, Adder, KeepingAdder, Sum

from grainline.federated import brief_sessions
from grainline.federated import sessions as sessions_module
from grainline.federated.session_messages import Answer, Ask, Close, Closed, Declined, PsiFetch
from grainline.federated.sessions import Opening, Sessions
from grainline.federated.wire import BadMessage, Message, decode, encode
from grainline.kit.errors import Refusal

ONE, TWO = b"1" * 16, b"2" * 16


def party(folder: Path, kind: type[Adder] = Adder) -> Sessions:
    """Start a party on its folder: what it had in memory before is gone."""
    numbers = itertools.count()
    seeds = lambda size: next(numbers).to_bytes(size, "big")  # noqa: E731
    return Sessions(folder, toy_party.adders(kind), seeds, lambda *_: None)


def add(sessions: Sessions, round_: int, number: int, session: bytes = ONE, peer: str = "lender") -> Message:
    return sessions.handle(peer, Ask(session, round_, encode(Add(number))))


def total(answer: Message) -> int:
    assert isinstance(answer, Answer), answer
    told = decode(answer.body)
    assert isinstance(told, Sum)
    return told.total


def code(answer: Message) -> str:
    assert isinstance(answer, Declined), answer
    return answer.code


def test_rounds_follow_each_other(tmp_path: Path) -> None:
    sessions = party(tmp_path)
    assert [total(add(sessions, n, 10)) for n in (1, 2, 3)] == [10, 20, 30]
    assert total(add(sessions, 1, 7, session=TWO)) == 7


def test_a_repeated_round_is_answered_in_the_same_bytes_and_counts_once(tmp_path: Path) -> None:
    sessions = party(tmp_path)
    first = add(sessions, 1, 10)
    assert add(sessions, 1, 10) == first
    assert total(add(sessions, 2, 10)) == 20
    assert code(add(sessions, 1, 10)) == "session_replayed"


def test_another_message_under_the_same_number_is_refused(tmp_path: Path) -> None:
    sessions = party(tmp_path)
    add(sessions, 1, 10)
    assert code(add(sessions, 1, 11)) == "session_conflict"
    assert total(add(sessions, 2, 10)) == 20


def test_rounds_out_of_order_are_refused(tmp_path: Path) -> None:
    sessions = party(tmp_path)
    assert code(add(sessions, 2, 10)) == "session_out_of_order"
    add(sessions, 1, 10)
    told = add(sessions, 3, 10)
    assert isinstance(told, Declined)
    assert (told.code, told.numbers) == ("session_out_of_order", "round=3 expected=2")
    assert total(add(sessions, 2, 10)) == 20


def test_a_session_is_its_opener_s(tmp_path: Path) -> None:
    sessions = party(tmp_path)
    add(sessions, 1, 10)
    assert code(add(sessions, 2, 10, peer="another")) == "session_not_yours"
    assert code(sessions.handle("another", Close(ONE))) == "session_not_yours"
    assert total(add(sessions, 2, 10)) == 20


@pytest.mark.parametrize("restart", [False, True])
def test_a_closed_session_is_spent_for_ever(tmp_path: Path, restart: bool) -> None:
    sessions = party(tmp_path)
    add(sessions, 1, 10)
    assert sessions.handle("lender", Close(ONE)) == Closed(ONE)
    sessions = party(tmp_path) if restart else sessions
    assert [code(add(sessions, n, 10)) for n in (1, 2)] == ["session_replayed"] * 2
    assert sessions.handle("lender", Close(ONE)) == Closed(ONE)
    kept = {path.name for path in (tmp_path / ONE.hex()).iterdir()}
    assert kept == {"record", "asked", "over"}
    assert '"seed": ""' in (tmp_path / ONE.hex() / "record").read_text()


def test_what_opens_no_session_leaves_no_trace(tmp_path: Path) -> None:
    sessions = party(tmp_path)
    assert code(sessions.handle("lender", Ask(ONE, 1, encode(PsiFetch(1))))) == "message_refused"
    assert code(sessions.handle("lender", Ask(ONE, 1, b"nonsense"))) == "message_refused"
    with pytest.raises(BadMessage):
        sessions.handle("lender", Add(1))
    assert not list(tmp_path.iterdir())
    assert total(add(sessions, 1, 10)) == 10


def test_nonsense_within_a_session_changes_nothing(tmp_path: Path) -> None:
    sessions = party(tmp_path)
    add(sessions, 1, 10)
    assert code(sessions.handle("lender", Ask(ONE, 2, b"nonsense"))) == "message_refused"
    assert total(add(sessions, 2, 10)) == 20


def test_a_message_the_host_does_not_take_ends_the_session_and_is_refused_the_same_again(tmp_path: Path) -> None:
    sessions = party(tmp_path)
    add(sessions, 1, 10)
    wrong = Ask(ONE, 2, encode(PsiFetch(1)))
    assert code(sessions.handle("lender", wrong)) == "message_refused"
    assert code(party(tmp_path).handle("lender", wrong)) == "message_refused"
    assert code(add(sessions, 3, 10)) == "session_replayed"


def test_what_breaks_at_the_party_is_told_to_its_log_and_not_to_the_lender(tmp_path: Path) -> None:
    class Breaking:
        def answer(self, message: Message) -> Message:
            raise RuntimeError("member 110101199003077758 is odd")

    told: list[Exception] = []
    hosts = {"toy-add": lambda opening: Breaking()}
    sessions = Sessions(tmp_path, hosts, bytes, lambda session, wrong: told.append(wrong))
    answer = add(sessions, 1, 10)
    assert answer == Declined(ONE, 1, "host_failed", "")
    assert [str(wrong) for wrong in told] == ["member 110101199003077758 is odd"]


def test_a_host_that_cannot_be_made_declines_the_same_again(tmp_path: Path) -> None:
    class Full(Refusal):
        code = "toy_full"

    def make(opening: Opening) -> Adder:
        raise Full(rooms=3, who="nobody's business")

    sessions = Sessions(tmp_path, {"toy-add": make}, bytes, lambda *_: None)
    assert add(sessions, 1, 10) == Declined(ONE, 1, "toy_full", "rooms=3")
    assert code(add(sessions, 1, 10)) == "toy_full"


numbers = st.lists(st.tuples(st.integers(0, 99), st.booleans(), st.booleans()), min_size=1, max_size=9)


@pytest.mark.parametrize("kind", [Adder, KeepingAdder])
@given(rounds=numbers)
@settings(max_examples=30, deadline=None)
def test_restarts_at_any_time_and_repeats_at_any_time_change_no_byte(
    tmp_path_factory: pytest.TempPathFactory, kind: type[Adder], rounds: list[tuple[int, bool, bool]]
) -> None:
    plain, shaken = (tmp_path_factory.mktemp(name) for name in ("plain", "shaken"))
    smooth, sessions = party(plain, kind), party(shaken, kind)
    for round_, (number, restart, repeat) in enumerate(rounds, start=1):
        expected = add(smooth, round_, number)
        assert add(sessions, round_, number) == expected
        sessions = party(shaken, kind) if restart else sessions
        if repeat:
            assert add(sessions, round_, number) == expected


@pytest.mark.parametrize("kind", [Adder, KeepingAdder])
def test_a_party_that_died_before_it_answered_answers_when_asked_again(tmp_path: Path, kind: type[Adder]) -> None:
    smooth = party(tmp_path / "smooth", kind)
    expected = [add(smooth, n, n) for n in range(1, 6)][-1]
    sessions = party(tmp_path / "died", kind)
    for n in range(1, 5):
        add(sessions, n, n)

    class Died(BaseException):
        pass

    def die(message: Message) -> Message:
        raise Died

    sessions._running[ONE].host.answer = die  # type: ignore[method-assign]
    with pytest.raises(Died):
        add(sessions, 5, 5)
    assert add(party(tmp_path / "died", kind), 5, 5) == expected


def test_a_host_that_does_not_come_to_the_same_bytes_again_is_found_out(tmp_path: Path) -> None:
    class Forgetful(Adder):
        def answer(self, message: Message) -> Message:
            return Sum(id(self) % 1000, 1, next(changing).to_bytes(16, "big"))

    changing = itertools.count()
    add(party(tmp_path, Forgetful), 1, 10)
    assert code(add(party(tmp_path, Forgetful), 2, 10)) == "host_failed"


def test_a_checkpoint_spares_the_rounds_before_it(tmp_path: Path) -> None:
    sessions = party(tmp_path, KeepingAdder)
    for n in (1, 2, 3):
        add(sessions, n, 10)
    assert {path.name for path in (tmp_path / ONE.hex()).glob("*.ask")} == {"2.ask", "3.ask"}
    assert total(add(party(tmp_path, KeepingAdder), 4, 10)) == 40


class Doubler:
    """Keeps nothing between rounds; counts how often it worked only for the test."""

    worked = 0

    def answer(self, message: Message) -> Message:
        if not isinstance(message, Add):
            raise BadMessage("only numbers are doubled")
        Doubler.worked += 1
        return Sum(2 * message.number, 1, bytes(16))


def doubling(folder: Path) -> Sessions:
    Doubler.worked = 0
    brief = frozenset({"toy-add"})
    return Sessions(folder, {"toy-add": lambda opening: Doubler()}, bytes, lambda *_: None, brief)


def test_a_brief_session_leaves_nothing_on_the_disk_and_keeps_the_rules(tmp_path: Path) -> None:
    sessions = doubling(tmp_path)
    assert [total(add(sessions, n, n)) for n in (1, 2, 2, 3)] == [2, 4, 4, 6]
    assert Doubler.worked == 3
    assert code(add(sessions, 2, 2)) == "session_replayed"
    assert code(add(sessions, 3, 9)) == "session_conflict"
    assert code(add(sessions, 5, 9)) == "session_out_of_order"
    assert code(add(sessions, 4, 9, peer="another")) == "session_not_yours"
    for _ in range(2):
        assert code(sessions.handle("lender", Ask(ONE, 4, encode(PsiFetch(1))))) == "message_refused"
    assert code(add(sessions, 4, 9)) == "session_conflict"
    assert total(add(sessions, 5, 9)) == 18
    assert not list(tmp_path.iterdir())


def test_a_brief_session_goes_on_after_a_restart_and_ends_with_its_close(tmp_path: Path) -> None:
    add(doubling(tmp_path), 1, 1)
    sessions = doubling(tmp_path)
    assert total(add(sessions, 2, 2)) == 4
    assert sessions.handle("another", Close(ONE)) == Closed(ONE)
    assert code(add(sessions, 1, 1)) == "session_replayed"
    assert sessions.handle("lender", Close(ONE)) == Closed(ONE)
    assert total(add(sessions, 1, 1)) == 2


def test_brief_sessions_that_nobody_asks_for_make_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(brief_sessions, "SESSIONS_MAX", 2)
    sessions = doubling(tmp_path)
    for number in (1, 2, 1, 3):
        add(sessions, 1, 1, session=bytes([number]) * 16)
    assert Doubler.worked == 3
    add(sessions, 1, 1, session=bytes([1]) * 16)
    assert Doubler.worked == 3
    add(sessions, 1, 1, session=bytes([2]) * 16)
    assert Doubler.worked == 4


def test_more_sessions_than_fit_in_memory_go_on_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions_module, "RUNNING_MAX", 2)
    sessions = party(tmp_path)
    ids = [bytes([n]) * 16 for n in range(5)]
    for round_ in (1, 2, 3):
        assert [total(add(sessions, round_, 10, session=session)) for session in ids] == [10 * round_] * 5
    assert len(sessions._running) == 2
    assert not sessions._locks


def test_only_the_party_itself_reads_its_sessions(tmp_path: Path) -> None:
    add(party(tmp_path), 1, 10)
    files = list((tmp_path / ONE.hex()).iterdir())
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert (tmp_path / ONE.hex()).stat().st_mode & 0o777 == 0o700

"""People by name: who has which number, who is called what, who is in which group."""

from time import perf_counter

import pytest

from custom_components.virtual_sms.core.contacts import (
    Addressee,
    Contact,
    ContactFacts,
    ContactStatus,
    Directory,
    Group,
    read_name,
)

LINE, OTHER_LINE = "line", "other line"
NUMBER, SECOND = "+33612345678", "+33698765432"


def contact(
    own_id: str = "bob", line: str = LINE, name: str = "Bob", *numbers: str
) -> Contact:
    """Make a contact."""
    return Contact(
        contact_id=own_id, entry_id=line, name=name, numbers=numbers or (NUMBER,)
    )


def group(*members: str, own_id: str = "all", name: str = "All") -> Group:
    """Make a group."""
    return Group(group_id=own_id, entry_id=LINE, name=name, members=members)


def test_found_by_any_number_on_any_line() -> None:
    """All numbers of a contact are recognised, whichever line they write to."""
    bob = contact("bob", LINE, "Bob", NUMBER, SECOND)
    directory = Directory([bob])
    for number in (NUMBER, SECOND):
        for line in (LINE, OTHER_LINE, None):
            assert directory.find_sender(number, line) is bob


def test_the_lines_own_contact_comes_first() -> None:
    """Where a number should have two owners all the same, the line has its own."""
    ours, theirs = contact("ours", LINE), contact("theirs", OTHER_LINE)
    directory = Directory([theirs, ours])
    assert directory.find_sender(NUMBER, LINE) is ours
    assert directory.find_sender(NUMBER, OTHER_LINE) is theirs
    assert directory.find_sender(NUMBER, "a third line") is theirs


@pytest.mark.parametrize("sender", ["Bob", "+Bob", "", "12345", "+", "+336x"])
def test_a_name_is_no_sender(sender: str) -> None:
    """What is no telephone number is nobody's, also when a contact is called so."""
    directory = Directory([contact("bob", LINE, sender, sender)])
    assert directory.find_sender(sender) is None


def test_nobody() -> None:
    """Who is not there is not found."""
    directory = Directory()
    assert directory.find_sender(NUMBER) is None
    assert directory.get("bob") is None
    assert directory.get_contact("bob") is directory.get_group("bob") is None
    assert not directory.find_named("Bob")
    assert not directory.everybody


def test_names_disregard_case_and_outer_blanks() -> None:
    """Contacts and groups share the names of a line."""
    bob, everyone = contact(), group(name="Straße")
    directory = Directory([bob], [everyone])
    assert directory.find_named(" bOB ", LINE) == [bob]
    assert directory.find_named("STRASSE") == [everyone]
    assert not directory.find_named("Bob", OTHER_LINE)
    assert not directory.find_named("B ob")


@pytest.mark.parametrize(
    "name",
    ["Zoe\u0301 Le\u00a0Roy", "\u202aZo\u00e9  LE ROY\u202c", "zo\u00e9 le\u00ad roy"],
)
def test_a_name_that_looks_the_same_is(name: str) -> None:
    """However it is written, and whatever came along with it."""
    zoe = contact(name="Zo\u00e9 Le Roy")
    assert Directory([zoe]).find_named(name) == [zoe]


def test_found_by_id() -> None:
    """Contacts and groups have ids of one kind."""
    bob, everyone = contact(), group("bob")
    directory = Directory([bob], [everyone])
    assert directory.get("bob") is directory.get_contact("bob") is bob
    assert directory.get("all") is directory.get_group("all") is everyone
    assert (bob.own_id, everyone.own_id) == ("bob", "all")
    assert directory.get_contact("all") is directory.get_group("bob") is None
    assert directory.of_line(LINE) == directory.everybody == [bob, everyone]
    assert directory.contacts == [bob]
    assert directory.groups == [everyone]
    assert not directory.of_line(OTHER_LINE)


def test_members() -> None:
    """Members are contacts of any line, each once; who is gone is none."""
    bob = contact()
    ann = contact("ann", OTHER_LINE, "Ann", SECOND)
    inner = group("bob", own_id="inner")
    outer = group("ann", "bob", "ann", "gone", "inner", own_id="outer")
    directory = Directory([bob, ann], [inner, outer])
    assert directory.members(outer) == [ann, bob]
    assert not directory.members(group("gone"))


def test_an_addressee_outlives_the_contact() -> None:
    """What is stored with a message tells who it was for."""
    addressee = contact(name='B"öb').addressee
    assert Addressee.read(addressee.write()) == addressee
    assert addressee == Addressee(contact_id="bob", name='B"öb')


@pytest.mark.parametrize("stored", [None, "", "{", "5", "[1, 2]", '["bob"]'])
def test_an_addressee_that_cannot_be_read(stored: str | None) -> None:
    """What a damaged file left of somebody is nobody, and keeps no event back."""
    assert Addressee.read(stored) is None


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        (ContactFacts(), ContactStatus.REACHABLE),
        (ContactFacts(is_undelivered=True), ContactStatus.UNREACHABLE),
        (
            ContactFacts(is_undelivered=True, has_opted_out=True),
            ContactStatus.OPTED_OUT,
        ),
        (ContactFacts(has_opted_out=True, is_locked=True), ContactStatus.LOCKED),
    ],
)
def test_status(facts: ContactFacts, status: ContactStatus) -> None:
    """What a person has to act upon comes first."""
    assert facts.status is status


def test_nothing_of_it_is_in_a_log() -> None:
    """Names and numbers have no place in a `repr`."""
    for each in (contact(name="Roberta"), contact(name="Roberta").addressee):
        assert "Roberta" not in repr(each)
        assert NUMBER not in repr(each)
    assert "Everyone" not in repr(group(name="Everyone"))


def test_many_are_found_at_once() -> None:
    """Two hundred contacts are looked up as quickly as one."""
    directory = Directory(
        contact(str(each), LINE, f"Neighbour {each}", f"+336000{each:05}")
        for each in range(200)
    )
    begin = perf_counter()
    for each in range(2000):
        assert directory.find_sender(f"+336000{each % 200:05}", LINE) is not None
    assert perf_counter() - begin < 0.5


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("  Aunt\n  Mary ", "Aunt Mary"),
        ("👩\u200d🚒", "👩\u200d🚒"),
        ("Bob\x00", "Bob\ufffd"),
        (" \u200b\u202e\n", ""),
        ("", ""),
    ],
)
def test_a_name_is_on_one_line(typed: str, name: str) -> None:
    """It stands in titles and in texts, and everybody sees something of it."""
    assert read_name(typed) == name

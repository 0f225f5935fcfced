"""The town's people: well-formed papers that can belong to nobody."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn
from stdnum.cn import ric
from stdnum.exceptions import InvalidComponent

from grainline.members.model import age_on, check_card_number, check_name, check_national_id, check_phone
from grainline.sandbox.town import RESIDENTS_MAX, SURNAME, number_of, phone_of, resident, residents

numbers = st.integers(1, RESIDENTS_MAX)
ages = st.integers(18, 100)
references = st.dates(date(2005, 1, 1), date(2060, 12, 31))


@given(numbers, ages, references)
def test_every_resident_passes_every_check_of_form_and_has_the_age_given(number, age, reference):
    person = resident(number, age=age, reference=reference)
    assert check_national_id(person.national_id, today=reference) == person.national_id
    assert check_card_number(person.card_number) == person.card_number
    assert check_name(person.name) == person.name
    assert check_phone(person.phone) == person.phone
    assert ric.get_birth_date(person.national_id) == person.born_on
    assert age_on(person.born_on, reference) == age


@given(numbers, ages, references)
def test_no_resident_can_be_a_real_person(number, age, reference):
    person = resident(number, age=age, reference=reference)
    with pytest.raises(InvalidComponent):
        ric.get_birth_place(person.national_id)
    assert person.name.startswith(SURNAME)
    assert person.bank.startswith("沙盒")
    assert person.card_number.startswith("9999")
    assert person.phone.startswith("100")


@given(numbers)
def test_a_phone_leads_back_to_its_resident(number):
    assert number_of(phone_of(number)) == number


@pytest.mark.parametrize("phone", ["10000000000", "10000030001", "19900000001", "1000000001", "", "一" * 11])
def test_a_phone_of_nobody_leads_nowhere(phone):
    assert number_of(phone) is None


def test_all_thirty_thousand_are_told_apart_by_id_card_and_phone():
    town = list(residents((20 + number % 60 for number in range(RESIDENTS_MAX)), reference=date(2026, 2, 28)))
    assert len(town) == RESIDENTS_MAX
    assert len({person.national_id for person in town}) == RESIDENTS_MAX
    assert len({person.card_number for person in town}) == RESIDENTS_MAX
    assert len({person.phone for person in town}) == RESIDENTS_MAX
    assert all(luhn.is_valid(person.card_number) for person in town)
    assert len({person.name for person in town}) > 1000


@given(numbers, ages, references)
def test_the_same_number_is_the_same_person(number, age, reference):
    assert resident(number, age=age, reference=reference) == resident(number, age=age, reference=reference)


@pytest.mark.parametrize(("number", "age"), [(0, 30), (RESIDENTS_MAX + 1, 30), (1, -1), (1, 121)])
def test_nobody_lives_outside_the_town(number, age):
    with pytest.raises(ValueError, match="town"):
        resident(number, age=age, reference=date(2026, 1, 15))


def test_a_known_person_by_hand():
    """Region 990000 + 0, sequence 001; 15 January less 1 × 7919 mod 365 = 254 days is 6 May the year before."""
    person = resident(1, age=24, reference=date(2026, 1, 15))
    assert person.born_on == date(2001, 5, 6)
    assert person.national_id[:17] == "99000020010506001"
    assert person.phone == "10000000001"
    assert person.card_number[:18] == "999900000000000001"

"""A secret is never shown by accident."""

import copy
import dataclasses
import json
import pickle

import pytest

from reporter.config import Secret, Settings
from reporter.config.secret import mask

TEXT = "phx_verysecretvalue"


def test_no_way_of_printing_shows_it():
    secret = Secret(TEXT)
    shown = [
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret:>30}",
        f"{secret!r}",
        repr([secret]),
    ]
    shown.append(repr(Settings(api_key=secret)))
    assert not [text for text in shown if "verysecret" in text]


def test_it_can_be_revealed_for_the_one_who_sends_it():
    assert Secret(TEXT).reveal() == TEXT


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_it_refuses_to_be_pickled(protocol):
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(Secret(TEXT), protocol)


def test_it_refuses_every_other_way_of_leaving():
    with pytest.raises(TypeError):
        copy.deepcopy(Secret(TEXT))
    with pytest.raises(TypeError):
        json.dumps(Secret(TEXT))
    with pytest.raises(TypeError):
        dataclasses.asdict(Settings(api_key=Secret(TEXT)))
    assert not hasattr(Secret(TEXT), "__dict__")


def test_equal_secrets_are_equal_and_no_secret_equals_text():
    assert Secret("a") == Secret("a")
    assert hash(Secret("a")) == hash(Secret("a"))
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"


def test_every_secret_is_taken_out_of_a_text_about_to_be_shown():
    Secret("hush-hush-1"), Secret("hush-hush-2")
    assert mask("a hush-hush-1 b hush-hush-2 c hush") == "a *** b *** c hush"

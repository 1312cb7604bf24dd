"""What was used of each model adds up, and nobody's list of models grows without end."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from reporter.analysis import model_costs
from reporter.model import ItemMetrics, ModelUse


def item(key: str, *uses: ModelUse) -> ItemMetrics:
    costs = [use.cost_usd for use in uses if use.cost_usd is not None]
    return ItemMetrics(
        key=key,
        cost_usd=math.fsum(costs) if costs else None,
        latency_s=None,
        tokens_in=None,
        tokens_out=None,
        tokens_cached=None,
        error_events=0,
        calls=sum(use.calls for use in uses),
        first_at=None,
        last_at=None,
        has_data=True,
        models=uses,
    )


def test_dearest_first_with_the_prior_cost_beside() -> None:
    rows = [
        item("a", ModelUse("small", 2, 10.0, 0.5), ModelUse("large", 1, 5.0, 3.0)),
        item("b", ModelUse("small", 1, None, None), ModelUse(None, 1, 7.0, 0.1)),
    ]
    prior = [item("c", ModelUse("large", 1, 5.0, 2.0), ModelUse("old", 1, 5.0, 1.0))]
    found = model_costs.models(rows, prior)
    assert [(m.model, m.calls, m.tokens, m.cost_usd, m.prior_cost_usd) for m in found] == [
        ("large", 1, 5.0, 3.0, 2.0),
        ("small", 3, 10.0, 0.5, 0.0),
        (None, 1, 7.0, 0.1, 0.0),
        ("old", 0, None, None, 1.0),
    ]
    assert [m.prior_cost_usd for m in model_costs.models(rows, None)] == [None, None, None]


uses = st.builds(
    ModelUse,
    st.one_of(st.none(), st.sampled_from([f"m{i}" for i in range(60)])),
    st.integers(0, 9),
    st.one_of(st.none(), st.floats(0, 1e6)),
    st.one_of(st.none(), st.floats(0, 1e3)),
)


@given(st.lists(st.lists(uses, max_size=6), max_size=30))
def test_costs_add_up_and_the_list_is_short(made: list[list[ModelUse]]) -> None:
    rows = [item(str(i), *some) for i, some in enumerate(made)]
    found = model_costs.models(rows, None)
    assert len(found) <= model_costs.MOST
    whole = math.fsum(use.cost_usd or 0.0 for some in made for use in some)
    assert math.isclose(math.fsum(m.cost_usd or 0.0 for m in found), whole, rel_tol=1e-9, abs_tol=1e-9)
    assert sum(m.calls for m in found) == sum(use.calls for some in made for use in some)


def test_models_without_end_are_summed_up() -> None:
    rows = [item(str(i), ModelUse(f"m{i:03d}", 1, 1.0, 100.0 - i)) for i in range(90)]
    found = model_costs.models(rows, rows[50:60])
    assert len(found) == model_costs.MOST
    assert found[-1].model == model_costs.OTHERS
    assert found[-1].calls == 90 - (model_costs.MOST - 1)
    assert found[-1].prior_cost_usd == math.fsum(100.0 - i for i in range(50, 60))

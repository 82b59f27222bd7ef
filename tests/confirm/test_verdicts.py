"""The strict rule: what was not seen is not said."""

from __future__ import annotations

from typing import Any

import pytest

from losslint.confirm.jobs import Claim, Outcome, Place
from losslint.confirm.probes import DECIDES
from losslint.confirm.verdicts import decide, ended, not_run
from losslint.findings import CONFIRMED, INCONCLUSIVE, REFUTED
from losslint.rulebook import rules


def claim(code: str) -> Claim:
    return Claim(code, "a.py", Place(3, 1, 4, 10))


def batch(code: str, *runs: dict[str, Any], executed: bool = True) -> str:
    same = {"value_ratio": {"2": 1.0, "4": 1.0}, "gradient_turn": {"2": 0.0, "4": 0.0}, "convention": "c"}
    shown = [
        same
        | {"gradient_shift": dict.fromkeys("24", abs(r["4"] - 1)), "gradient_ratio": r, "unlike": r.get("unlike", "")}
        for r in runs
    ]
    return decide(claim(code), {"executed": executed, "runs": shown, "trace": {}}).verdict


ONE, SUM, SHRINKS = {"2": 1.0, "4": 1.0}, {"2": 2.0, "4": 4.0}, {"2": 0.5, "4": 0.25}


def test_laws() -> None:
    assert batch("LL302", SUM, SUM) == CONFIRMED
    assert batch("LL302", ONE, ONE) == REFUTED
    assert batch("LL302", ONE | {"unlike": "eagerly"}, ONE) == INCONCLUSIVE  # not as it is trained
    assert batch("LL302", ONE) == INCONCLUSIVE  # one convention is not enough
    assert batch("LL302", ONE, ONE, executed=False) == INCONCLUSIVE
    assert batch("LL302", SHRINKS, SHRINKS) == INCONCLUSIVE  # wrong in another way than claimed
    assert batch("LL303", SHRINKS, SHRINKS) == CONFIRMED
    assert batch("LL303", SUM, SUM) == INCONCLUSIVE
    assert batch("LL301", SUM, SUM) == CONFIRMED
    assert batch("LL304", SUM, SUM) == INCONCLUSIVE  # a pure power is no mixture
    assert batch("LL304", {"2": 1.5, "4": 2.5}, ONE) == CONFIRMED


def test_what_depends_on_the_order_refutes_no_law() -> None:
    steady: dict[str, Any] = {"value_ratio": ONE, "gradient_ratio": ONE, "gradient_turn": {}, "convention": "c"}
    steady |= {"gradient_shift": {"2": 0.0, "4": 0.0}}
    seen = {"executed": True, "trace": {}}
    assert decide(claim("LL302"), seen | {"runs": [steady | {"permutation": 0.0}] * 2}).verdict == REFUTED
    assert decide(claim("LL302"), seen | {"runs": [steady | {"permutation": 0.4}] * 2}).verdict == INCONCLUSIVE


def edges(unlike: str = "", code: str = "LL401", **found: Any) -> str:
    seen = {
        "tested": 9,
        "finite": 8,
        "compiled": 1,
        "executed": True,
        "nearest": 0.0,
        "near": [],
        "elsewhere": [],
    } | found
    return decide(claim(code), {"edges": seen, "unlike": unlike}).verdict


def test_a_cosine_near_1_is_not_at_1() -> None:
    assert edges(code="LL411", near=[["perfect", 6e-8]]) == INCONCLUSIVE
    assert edges(code="LL411", near=[["perfect", 0.0]]) == INCONCLUSIVE


def test_edges() -> None:
    witness = {"point": "p", "mode": "graph", "inputs": {}, "batch": 1, "value": "nan", "gradient": {"p": "nan"}}
    assert edges(witness=witness) == CONFIRMED
    assert edges(nearest=1e-7, near=[["p all 0", 1e-7]]) == REFUTED
    assert edges(nearest=1e-7, near=[["p all 0", 1e-7]], unlike="eagerly") == INCONCLUSIVE
    assert edges(nearest=0.5) == INCONCLUSIVE  # never taken to the edge
    assert edges(executed=False) == INCONCLUSIVE
    assert edges(nearest=None) == INCONCLUSIVE
    assert edges(elsewhere=["p all 0"], nearest=0.5) == INCONCLUSIVE  # broken, but not by the flagged line


def gradient(code: str, *classes: str, **more: Any) -> str:
    sources = {"p": {"state": "live", "reached": 1.0}}
    runs = [
        {"class": c, "sources": sources, "cut_at": [], "dead_terms": [], "convention": str(i)} | more
        for i, c in enumerate(classes)
    ]
    return decide(claim(code), {"executed": True, "runs": runs, "trace": {"errors": {}}}).verdict


def test_gradients() -> None:
    assert gradient("LL201", "none", "none") == CONFIRMED
    assert gradient("LL201", "zero", "non-zero") == CONFIRMED
    assert gradient("LL201", "non-zero", "non-zero") == REFUTED
    assert gradient("LL201", "non-zero") == INCONCLUSIVE
    assert gradient("LL201", "non-finite", "non-finite") == INCONCLUSIVE
    here, elsewhere = ([{"op": "Round", "lines": [["a.py", row]]}] for row in (3, 9))
    assert gradient("LL203", "non-zero", "non-zero", dead_terms=here) == CONFIRMED
    assert gradient("LL203", "non-zero", "non-zero", dead_terms=elsewhere) == INCONCLUSIVE
    assert gradient("LL203", "non-zero", "non-zero") == REFUTED


def output(code: str, **run: Any) -> str:
    seen = {"structure": "tensor", "shapes": [[]], "dtypes": ["float32"], "total": 1.0} | run
    return decide(
        claim(code), {"executed": True, "runs": [seen | {"convention": c} for c in "ab"], "trace": {}}
    ).verdict


def test_outputs() -> None:
    assert output("LL101", shapes=[[7]]) == CONFIRMED
    assert output("LL101") == REFUTED
    assert output("LL101", structure="tuple of 2", shapes=[[], []]) == INCONCLUSIVE
    assert output("LL102", structure="tuple of 2") == CONFIRMED
    assert output("LL102") == REFUTED
    assert output("LL103", structure="None", shapes=[], dtypes=[]) == CONFIRMED
    assert output("LL103", dtypes=["int32"]) == CONFIRMED
    assert output("LL104") == CONFIRMED
    assert output("LL104", shapes=[[7]]) == REFUTED


def test_traces() -> None:
    def verdict(lines: list[Any] | None, partial: list[Any]) -> str:
        errors = {} if lines is None else {"None batch": {"message": "m", "lines": lines}}
        evidence = {"executed": True, "runs": [{"convention": c} for c in "ab"], "trace": {"errors": errors}}
        return decide(claim("LL306"), evidence | {"partial": [{"message": "m", "lines": p} for p in partial]}).verdict

    assert verdict(None, []) == REFUTED
    assert verdict([["a.py", 3]], []) == CONFIRMED
    assert verdict([["a.py", 9]], []) == INCONCLUSIVE
    assert verdict([["a.py", 9]], [[["a.py", 4]]]) == CONFIRMED


@pytest.mark.parametrize("kind", ["timeout", "memory", "processes", "output", "exit", "crash", "failed", "budget"])
def test_what_ends_early_is_inconclusive_and_says_why(kind: str) -> None:
    verdict = ended(Outcome(kind, detail="killed by SIGABRT"))
    assert verdict.verdict == INCONCLUSIVE and "SIGABRT" in verdict.reason and verdict.reason != kind


def test_what_cannot_be_called_is_inconclusive_unless_the_flagged_line_raises() -> None:
    here = {"message": "ValueError: no", "lines": [["a.py", 3]], "tried": 12}
    assert not_run(claim("LL516"), {"error": here, "reason": "r"}).verdict == CONFIRMED
    assert not_run(claim("LL516"), {"error": here | {"lines": [["a.py", 9]]}, "reason": "r"}).verdict == INCONCLUSIVE
    assert not_run(claim("LL401"), {"error": here, "reason": "r"}).verdict == INCONCLUSIVE


def test_a_failed_probe_says_nothing() -> None:
    assert decide(claim("LL302"), {"failed": "ValueError"}).verdict == INCONCLUSIVE


def test_every_page_names_the_probe_that_decides_it() -> None:
    assert {code: rule.probe for code, rule in rules().items() if rule.probe} == DECIDES


def told(error: str = "", installed: str = "2.21.0") -> dict[str, object]:
    return {"name": {"package": "TensorFlow", "installed": installed, "wanted": "2.21", "error": error}}


def test_a_missing_name_is_shown_by_what_is_installed() -> None:
    raised = "AttributeError: module 'tensorflow' has no attribute 'log'"
    runs = [{"convention": "f(y_true, y_pred)"}, {"convention": "f(y_true[B], y_pred[B])"}]
    assert decide(claim("LL503"), told(raised) | {"runs": runs}).verdict == CONFIRMED
    assert decide(claim("LL503"), told() | {"runs": runs, "executed": True}).verdict == REFUTED
    assert decide(claim("LL503"), told() | {"runs": runs, "executed": False}).verdict == INCONCLUSIVE
    other = decide(claim("LL503"), told(raised, "2.19.1") | {"runs": runs})
    assert other.verdict == INCONCLUSIVE and "2.19.1" in other.reason


def test_a_missing_name_needs_no_run() -> None:
    assert not_run(claim("LL503"), {"reason": "r"}, told("AttributeError: gone")).verdict == CONFIRMED
    assert not_run(claim("LL503"), {"reason": "r"}, told()).verdict == INCONCLUSIVE


# -- classes, compile and steps --------------------------------------------------------------------------------------


def verdict(code: str, **seen: Any) -> str:
    return decide(claim(code), seen).verdict


def test_how_an_object_is_made() -> None:
    made = {"executed": True, "name": "sum", "reduction": None}
    assert verdict("LL504", **made) == CONFIRMED
    assert verdict("LL504", **made | {"name": "mine", "reduction": "sum"}) == REFUTED
    assert verdict("LL504", **made | {"executed": False}) == INCONCLUSIVE
    error = {"message": "ValueError: reduction", "lines": [["a.py", 3]]}
    assert verdict("LL504", executed=True, error=error) == CONFIRMED
    assert verdict("LL504", executed=True, error=error | {"lines": [["a.py", 9]]}) == INCONCLUSIVE


def step(factor: float, value: float = 2.0, length: float = 1.0) -> dict[str, Any]:
    once = {"value": 2.0, "step": length}
    return {"batch": "b", "once": once, "twice": {"value": value, "step": factor * length}}


FAILS: dict[str, Any] = {"batch": "b", "error": "TypeError: no", "stub": False}


def test_what_a_model_does_that_is_compiled_with_a_class() -> None:
    known = {"direct": True, "control": [step(1.0)], "method": "call"}
    assert verdict("LL505", tries=[step(2.0)], **known) == CONFIRMED
    assert verdict("LL505", tries=[step(1.0)], **known) == REFUTED
    assert verdict("LL505", tries=[step(2.0, value=4.0)], **known) == INCONCLUSIVE  # a sum that says so
    assert verdict("LL505", tries=[step(1.0, length=0.0)], **known) == INCONCLUSIVE
    assert verdict("LL505", tries=[FAILS], **known) == CONFIRMED
    assert verdict("LL505", tries=[FAILS], **known | {"direct": False}) == INCONCLUSIVE  # it takes other batches
    assert verdict("LL505", tries=[FAILS], **known | {"control": [FAILS]}) == INCONCLUSIVE  # nothing trains here
    assert verdict("LL505", tries=[FAILS | {"stub": True}], **known) == INCONCLUSIVE
    assert verdict("LL505", error={"message": "TypeError"}) == INCONCLUSIVE


def test_what_is_lost_when_a_loss_is_saved() -> None:
    kept = {"name": "alpha", "given": "2.0", "required": False, "differs": []}
    assert verdict("LL506", saved=[kept]) == REFUTED
    assert verdict("LL506", saved=[kept, kept | {"differs": ["beta: 2.0, 1.0"]}]) == CONFIRMED
    assert verdict("LL506", saved=[kept | {"unloaded": "TypeError"}]) == CONFIRMED
    assert verdict("LL506", saved=[kept, {"name": "beta", "skipped": "nothing"}]) == INCONCLUSIVE
    assert verdict("LL506", saved=[]) == INCONCLUSIVE


def test_what_a_model_is_compiled_with() -> None:
    control = [step(1.0)]
    one = {"name": "f", "tensor": False, "metric": False, "callable": True, "misfit": "", "returns": ""}
    metric = one | {"metric": True}
    assert verdict("LL108", given=[one | {"tries": [step(2.0)]}], control=control) == CONFIRMED
    assert verdict("LL108", given=[one | {"tries": [step(1.0)]}], control=control) == REFUTED
    assert verdict("LL108", given=[one | {"tries": [FAILS]}], control=control) == INCONCLUSIVE
    assert verdict("LL207", given=[metric | {"tries": [FAILS]}], control=control) == CONFIRMED
    assert verdict("LL207", given=[metric | {"tries": [step(1.0)]}], control=control) == REFUTED
    assert verdict("LL207", given=[metric | {"tries": [step(1.0, length=0.0)]}], control=control) == CONFIRMED
    assert verdict("LL207", given=[one | {"tries": [FAILS]}], control=control) == INCONCLUSIVE  # any other error
    assert verdict("LL207", given=[metric | {"tries": [FAILS]}], control=[FAILS]) == INCONCLUSIVE
    assert verdict("LL509", given=[one | {"misfit": "three", "tries": [FAILS]}], control=control) == CONFIRMED
    assert (
        verdict("LL509", given=[one | {"tries": [FAILS]}], control=control) == INCONCLUSIVE
    )  # why it fails is unknown
    assert verdict("LL509", given=[one | {"tries": [step(1.0)]}], control=control) == REFUTED


def test_losses_of_a_loop() -> None:
    late = {"names": "q", "values": [1.0, 1.0], "others": [0.5], "batch": "b"}
    assert verdict("LL509", late=late) == CONFIRMED
    assert verdict("LL509", late=late | {"values": [1.0, 2.0]}) == REFUTED
    assert verdict("LL509", late=late | {"others": [1.0]}) == INCONCLUSIVE  # q is of no matter
    assert verdict("LL509", late=late | {"values": [1.0]}) == INCONCLUSIVE


def test_a_list_of_losses() -> None:
    seen = {"outputs": 1, "whole": 1.0, "alone": [1.0, 3.0]}
    assert verdict("LL514", **seen) == CONFIRMED
    assert verdict("LL514", **seen | {"whole": 4.0}) == REFUTED
    assert verdict("LL514", **seen | {"outputs": 2}) == REFUTED
    assert verdict("LL514", **seen | {"alone": [1.0, None]}) == INCONCLUSIVE
    assert verdict("LL514", skipped="no model") == INCONCLUSIVE


def test_whole_steps() -> None:
    seen = {"given": "g", "executed": True, "gradients": [["none", "none"]], "error": ""}
    assert verdict("LL209", step=seen) == CONFIRMED
    assert verdict("LL209", step=seen | {"gradients": [["none", "some"]]}) == REFUTED
    assert verdict("LL209", step=seen | {"gradients": []}) == INCONCLUSIVE
    assert verdict("LL209", step={}) == INCONCLUSIVE
    assert verdict("LL210", discarded={"ran": ["Cast"], "used": False}) == CONFIRMED
    assert verdict("LL210", discarded={"ran": ["Cast"], "used": True}) == REFUTED
    assert verdict("LL210", discarded={"ran": [], "used": False}) == INCONCLUSIVE


def test_what_a_graph_freezes_and_the_order_of_arguments() -> None:
    runs = {"executed": True, "runs": [{"convention": "c"}, {"convention": "d"}]}
    assert verdict("LL508", calls={"eager": [1.0, 2.0], "graph": [1.0, 1.0]}, **runs) == CONFIRMED
    assert verdict("LL508", calls={"eager": [1.0, 2.0], "graph": [1.0, 2.0]}, **runs) == REFUTED
    assert verdict("LL508", calls={"eager": [1.0, 1.0], "graph": [1.0, 1.0]}, **runs) == INCONCLUSIVE
    assert verdict("LL508", calls={"eager": [1.0], "graph": []}, **runs) == INCONCLUSIVE
    assert verdict("LL510", orders={"written": 0.4, "exchanged": 1e-8}, **runs) == CONFIRMED
    assert verdict("LL510", orders={"written": 1e-8, "exchanged": 0.4}, **runs) == REFUTED
    assert verdict("LL510", orders={"written": 0.3, "exchanged": 0.4}, **runs) == INCONCLUSIVE
    assert verdict("LL510", orders={"skipped": "ids"}, **runs) == INCONCLUSIVE

"""The script of a confirmed finding: what was called, with which numbers, and what has to be seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from losslint import rulebook
from losslint.confirm.judges.base import COUPLED, LAW
from losslint.confirm.repro import script
from losslint.findings import CONFIRMED, Finding, Verdict

if TYPE_CHECKING:
    from losslint.confirm.confirming import Ran

_MODEL = '''
class Model:
    """One dense layer on flattened rows, in the place of a model that is not known."""

    kernel, bias = None, tf.Variable([0.0])

    def __call__(self, inputs, *args, **kwargs):
        width = int(np.prod(inputs.shape[1:]))
        if self.kernel is None:
            drawn = np.random.default_rng(3).normal(size=(width, 1)) / np.sqrt(width)
            self.kernel = tf.Variable(drawn.astype("float32"))
        return tf.reshape(tf.cast(inputs, tf.float32), [-1, width]) @ self.kernel + self.bias

    @property
    def trainable_variables(self):
        return [self.kernel, self.bias]
'''
_SHARED = '''
def shared_gradient(which):
    """The gradient of a scale and a shift of each prediction, shared by the samples, for these rows of the batch."""
    fed = {{n: tf.gather(x, which) if n in {batched!r} else x for n, x in inputs.items()}}
    with tf.GradientTape() as tape:
        tape.watch([fed[n] for n in {trained!r}])
        total = sum(tf.{reduce}(part) for part in tf.nest.flatten(loss(*fed.values())))
    parts = [np.zeros(1)]
    for name, gradient in zip({trained!r}, tape.gradient(total, [fed[n] for n in {trained!r}])):
        if gradient is not None:
            parts += [(gradient * fed[name]).numpy().sum(0).ravel(), gradient.numpy().sum(0).ravel()]
    return np.concatenate(parts)


inputs = {{{named}}}
rows = np.arange({count})
once = shared_gradient(rows)
'''


class NoScript(Exception):
    """There is no script for a finding; says why."""


def scripts(confirmed: list[tuple[Finding, Verdict, Ran]]) -> Iterator[tuple[Finding, str]]:
    """The scripts of those confirmed findings that have one."""
    for finding, verdict, ran in confirmed:
        try:
            yield finding, written(finding, verdict, ran)
        except NoScript:
            continue


def confirmed(ran: list[Ran]) -> list[tuple[Finding, Verdict, Ran]]:
    """The confirmed findings of some runs, by path and position."""
    found = [(f, v, r) for r in ran for f, v in zip(r.planned.findings, r.verdicts(), strict=True)]
    return sorted((x for x in found if x[1].verdict == CONFIRMED), key=lambda x: x[0].order)


def written(finding: Finding, verdict: Verdict, ran: Ran) -> str:
    """The script that shows ``finding``. Raises NoScript."""
    recipe = ran.result.get("repro") or {}
    if not recipe.get("recipe"):
        raise NoScript("the loss is made in a way that plain Python cannot repeat")
    witness = verdict.witness or {}
    own = witness.get("inputs")
    values = own if isinstance(own, dict) else recipe["inputs"]
    if values is None:
        raise NoScript("its inputs are too large for a script")
    kinds = recipe["dtypes"]
    inputs = {n: _input(v, kinds[n]) for n, v in values.items()}
    if any(v == "distance" for v in values.values()):
        raise NoScript("it is called with a function that stands in for an unknown one")
    source = recipe["source"] + _MODEL * any(map(_is_model, values.values()))
    mode = {"autograph": recipe["autograph"]} | ({"jit_compile": True} if witness.get("mode") == "xla" else {})
    return script(
        recipe["executed"],
        recipe["recipe"],
        inputs,
        main=recipe["main"],
        source=source,
        mode=mode,
        header=_header(finding, verdict),
        checks=_checks(finding, ran, list(values), recipe),
        shims=recipe["shims"],
    )


class _MadeModel:
    """What makes the model that stands in, as it is written in a script."""

    def __repr__(self) -> str:
        return "Model()"


def _input(value: Any, dtype: str) -> Any:
    if _is_model(value):
        return _MadeModel()
    return {"dtype": dtype, "value": value} if isinstance(value, list) else value


def _is_model(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("model")


def _header(finding: Finding, verdict: Verdict) -> list[str]:
    name = rulebook.name_of(finding.code)
    return [
        f"{finding.code} ({name}): {' '.join(finding.message.split())}",
        f"Seen: {' '.join(verdict.reason.split())}",
        f"TensorFlow {verdict.tensorflow} on {verdict.device}" if verdict.tensorflow else "",
    ]


def _checks(finding: Finding, ran: Ran, names: list[str], recipe: dict[str, Any]) -> str:
    """Statements that fail where the fault is not there."""
    code, trained = finding.code, recipe["trained"]
    if code.startswith("LL4"):
        return (
            f"seen = [value, *(gradients[n] for n in {trained!r})]\n"
            "assert not all(np.isfinite(x).all() for x in seen if x is not None), 'all is finite'\n"
        )
    if code in ("LL201", "LL202", "LL204", "LL208", "LL205"):
        some = f"any(gradients[n] is not None and gradients[n].any() for n in {trained!r})"
        return f"assert not {some}, 'it has a gradient'\n"
    if code == "LL101":
        return "assert value.ndim > 0, 'it is a scalar'\n"
    if code == "LL104":
        return "assert value.ndim == 0, 'it is no scalar'\n"
    if code in ("LL301", "LL302", "LL303", "LL304", "LL305", "LL307", "LL308"):
        seen = ran.result["claims"][ran.planned.findings.index(finding)]["runs"][0]
        return _of_batch(code, ran.planned.job.consumer, names, recipe, seen)
    raise NoScript(f"{code} is not shown by numbers")


def _of_batch(code: str, consumer: str, names: list[str], recipe: dict[str, Any], seen: dict[str, Any]) -> str:
    """The same gradients as the probe's, compared as the verdict did; half of what was seen must be there again."""
    count = len(recipe["inputs"][recipe["batched"][0]]) if recipe["batched"] else 0
    if not count:
        raise NoScript("it has no batch")
    text = _SHARED.format(
        batched=recipe["batched"],
        trained=[n for n in recipe["trained"] if n in recipe["batched"]],
        reduce="reduce_sum" if consumer == "tape" else "reduce_mean",
        named=", ".join(f"{n!r}: {n}" for n in names),
        count=count,
    )
    if code in ("LL307", "LL308"):
        parts = f"2 / {count} * shared_gradient(rows[:2]) + {count - 2} / {count} * shared_gradient(rows[2:])"
        return (
            f"{text}parts = {parts}\n"
            'print("distance from the mean of two parts:", np.linalg.norm(once - parts) / np.linalg.norm(once))\n'
            f"assert np.linalg.norm(once - parts) > {COUPLED} * np.linalg.norm(once), 'the parts add up'\n"
        )
    large = seen.get("large") or {}
    shift = (seen.get("gradient_shift") or {}).get("4") or 0.0
    copies = 1
    if shift <= LAW and (large.get("gradient_shift") or 0.0) > shift:  # it shows in large batches only
        copies, shift = large["copies"], large["gradient_shift"]
    if not shift:
        raise NoScript("the gradient did not change at this input")
    return (
        f"{text}few = shared_gradient(np.tile(rows, {copies}))\n"
        f"many = shared_gradient(np.tile(rows, {4 * copies}))\n"
        'print("factor on the gradient for 4 times the batch:", np.linalg.norm(many) / np.linalg.norm(few))\n'
        f"assert np.linalg.norm(many - few) > {shift / 2:.3g} * np.linalg.norm(few), 'the batch size is of no matter'\n"
    )

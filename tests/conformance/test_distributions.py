"""What the catalogue says of distributions is what TensorFlow Probability computes, where that is installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

import pytest

from tests.confirm.forked import Forked, server
from tests.conformance.columns import UNKNOWN, WRONG

pytestmark = pytest.mark.tf

CASES = """
matrix: tfd.Normal(y_pred, tf.nn.softplus(y_pred)).log_prob(y_true)
matrix: tfd.Normal(y_pred, 2.0).prob(y_true)
matrix: tfd.Normal(y_pred, tf.exp(y_pred)).entropy()
matrix: tfd.Normal(y_pred, 1.0).mean()
matrix: tfd.Normal(y_pred, tf.nn.softplus(y_pred)).stddev()
matrix: tfd.Normal(y_pred, 1.0).sample()
matrix: tfd.Normal(y_pred, 1.0).sample(4)
matrix: tfd.Laplace(y_pred, 2.0).log_prob(y_true)
matrix: tfd.Cauchy(y_pred, 2.0).log_prob(y_true)
matrix: tfd.Gumbel(y_pred, 2.0).log_prob(y_true)
matrix: tfd.Logistic(y_pred, 2.0).log_prob(y_true)
matrix: tfd.StudentT(3.0, y_pred, 2.0).log_prob(y_true)
matrix: tfd.LogNormal(y_pred, 2.0).log_prob(tf.exp(y_true))
matrix: tfd.HalfNormal(tf.exp(y_pred)).log_prob(tf.abs(y_true))
matrix: tfd.VonMises(y_pred, 2.0).log_prob(y_true)
matrix: tfd.Uniform(0.0, tf.exp(y_pred)).log_prob(y_true)
matrix: tfd.TruncatedNormal(y_pred, 1.0, -1.0, 1.0).log_prob(y_true)
matrix: tfd.Exponential(tf.exp(y_pred)).log_prob(y_true)
matrix: tfd.Gamma(tf.exp(y_pred), 2.0).log_prob(tf.exp(y_true))
matrix: tfd.Gamma(2.0, tf.exp(y_pred)).sample()
matrix: tfd.InverseGamma(tf.exp(y_pred), 2.0).log_prob(tf.exp(y_true))
matrix: tfd.Weibull(2.0, tf.exp(y_pred)).log_prob(tf.exp(y_true))
matrix: tfd.Beta(tf.exp(y_pred), 2.0).log_prob(tf.sigmoid(y_true))
matrix: tfd.Dirichlet(tf.exp(y_pred)).log_prob(tf.nn.softmax(y_true))
matrix: tfd.Bernoulli(logits=y_pred).log_prob(y_true)
matrix: tfd.Bernoulli(probs=tf.sigmoid(y_pred)).log_prob(y_true)
matrix: tfd.Bernoulli(logits=y_pred).mean()
matrix: tfd.Geometric(logits=y_pred).log_prob(tf.abs(y_true))
matrix: tfd.Poisson(tf.exp(y_pred)).log_prob(tf.abs(y_true))
matrix: tfd.Poisson(log_rate=y_pred).log_prob(tf.abs(y_true))
matrix: tfd.Binomial(5.0, logits=y_pred).log_prob(tf.sigmoid(y_true))
matrix: tfd.NegativeBinomial(5.0, logits=y_pred).log_prob(tf.abs(y_true))
matrix: tfd.Multinomial(1.0, logits=y_pred).log_prob(tf.nn.softmax(y_true))
matrix: tfd.OneHotCategorical(logits=y_pred).log_prob(tf.nn.softmax(y_true))
labels: tfd.Categorical(logits=y_pred).log_prob(y_true)
labels: tfd.Categorical(probs=tf.nn.softmax(y_pred)).log_prob(y_true)
matrix: tfd.Categorical(logits=y_pred).entropy()
matrix: tfd.MultivariateNormalDiag(y_pred, tf.exp(y_pred)).log_prob(y_true)
matrix: tfd.MultivariateNormalDiag(y_pred).sample()
matrix: tfd.MultivariateNormalTriL(y_pred, 2.0 * tf.eye(tf.shape(y_pred)[-1])).log_prob(y_true)
matrix: tfd.Independent(tfd.Normal(y_pred, 1.0), 1).log_prob(y_true)
matrix: tfd.Independent(tfd.Normal(y_pred, 1.0), reinterpreted_batch_ndims=1).sample()
matrix: tfd.MixtureSameFamily(tfd.Categorical(logits=y_pred), tfd.Normal(y_pred, 1.0)).log_prob(y_true[:, 0])
matrix: tfd.kl_divergence(tfd.Normal(y_pred, 1.0), tfd.Normal(0.0, 2.0))
matrix: tfd.Normal(y_pred, tf.exp(y_pred)).kl_divergence(tfd.Normal(0.0, 1.0))
matrix: tfd.kl_divergence(tfd.MultivariateNormalDiag(y_pred, tf.exp(y_pred)), tfd.MultivariateNormalDiag(y_true))
matrix: tfd.kl_divergence(tfd.Categorical(logits=y_pred), tfd.Categorical(logits=y_true))
matrix: tfd.kl_divergence(tfd.Bernoulli(logits=y_pred), tfd.Bernoulli(logits=y_true))
matrix: tfd.kl_divergence(tfd.Gamma(tf.exp(y_pred), 2.0), tfd.Gamma(2.0, 2.0))
matrix: tfd.kl_divergence(tfd.Independent(tfd.Normal(y_pred, 1.0), 1), tfd.Independent(tfd.Normal(y_true, 1.0), 1))
matrix: tfd.TransformedDistribution(tfd.Normal(y_pred, 1.0), tfp.bijectors.Exp()).log_prob(tf.exp(y_true))
matrix: tfp.bijectors.Softplus().forward(y_pred)
matrix: tfp.bijectors.Sigmoid().inverse(tf.sigmoid(y_pred))
matrix: tfp.bijectors.Exp().forward_log_det_jacobian(y_pred, event_ndims=1)
matrix: tfd.OneHotCategorical(probs=tf.nn.softmax(y_pred)).log_prob(y_true)
matrix: tfd.Categorical(probs=tf.nn.softmax(y_pred)).entropy()
matrix: tfd.Beta(tf.exp(y_pred), 2.0).mean()
matrix: tfd.Beta(tf.exp(y_pred), 2.0).entropy()
matrix: tfd.Bernoulli(probs=tf.sigmoid(y_pred)).mean()
matrix: tfd.MultivariateNormalDiag(y_pred, tf.exp(y_pred)).mean()
matrix: tfd.MultivariateNormalDiag(y_pred, tf.exp(y_pred)).sample(3)
matrix: tfd.MultivariateNormalDiag(y_pred, tf.exp(y_pred)).entropy()
matrix: tfd.Normal(y_pred, 1.0).sample([2, 3])
matrix: tfd.kl_divergence(tfd.Normal(y_pred, 1.0), tfd.Normal(y_true, 2.0))
matrix: tfd.Independent(tfd.Normal(y_pred, 1.0)).log_prob(y_true)
sequence: tfd.Independent(tfd.Normal(y_pred, 1.0)).log_prob(y_true)
matrix: tfd.Mixture(cat=tfd.Categorical(logits=tf.stack([y_pred, y_true], -1)), components=[tfd.Normal(y_pred, 1.0), tfd.Normal(y_true, 2.0)]).log_prob(y_true)
matrix: tfd.MixtureSameFamily(tfd.Categorical(probs=tf.nn.softmax(y_pred)), tfd.Normal(y_pred, 1.0)).log_prob(y_true[:, 0])
matrix: tfp.bijectors.Exp()(tfd.Normal(y_pred, 1.0)).log_prob(tf.exp(y_true))
matrix: tfp.layers.DistributionLambda(lambda t: tfd.Normal(t, 1.0))(y_pred).log_prob(y_true)
"""


@pytest.fixture(scope="module")
def run() -> Iterator[Forked]:
    """A process with TensorFlow Probability, which knows no other Keras than 2."""
    if importlib.util.find_spec("tensorflow_probability") is None:
        pytest.skip("TensorFlow Probability is not installed")
    with server("tensorflow_probability", TF_USE_LEGACY_KERAS="1") as forked:
        yield forked


@pytest.mark.parametrize("line", CASES.strip().splitlines())
def test_a_distribution(line: str, run: Forked) -> None:
    kind, call = line.split(": ", 1)
    source = f"def case(y_true, y_pred):\n    import tensorflow_probability as tfp\n    tfd = tfp.distributions\n    return {call}\n"
    snippet = f"from tests.conformance.compare import compared\nresult = compared({source!r}, {kind!r})"
    verdicts = run(snippet)
    assert {column: told for column, told in verdicts.items() if told[0] == WRONG} == {}
    assert [c for c in ("shape", "gradient") if verdicts[c][0] == UNKNOWN] == []

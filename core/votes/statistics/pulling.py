"""Pulling together: the means of groups, each with its error, as if they had something in common.

The model is that of Gelman, A. et al. (2013): Bayesian data analysis, third edition, section 5.4: each group's mean yⱼ
is its own θⱼ with a known error σⱼ², and the θⱼ are Gaussian around μ with a spread τ that is not known. Told are mean
and deviation of each θⱼ over all τ, each as likely before (uniform).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from core.votes.statistics.confidence import Floats

_SPREADS: Final = 100


@dataclass(frozen=True, slots=True)
class Pulled:
    """Means pulled towards their whole: each one's mean and standard deviation, and how much of it is its own."""

    mean: Floats
    deviation: Floats
    own: Floats


def pulled_together(means: Floats, variances: Floats, *, spread_max: float) -> Pulled:
    """Pull means with these error variances together, over spreads τ from 0 to `spread_max`.

    With τ known: μ is Gaussian around m = Σ yⱼ wⱼ / Σ wⱼ with variance V = 1/Σ wⱼ, where wⱼ = 1/(σⱼ² + τ²); θⱼ is
    Gaussian around yⱼ τ²wⱼ + m σⱼ²wⱼ with variance σⱼ²τ²wⱼ + (σⱼ²wⱼ)² V; and τ is as likely as
    √V Π √wⱼ exp(-½ wⱼ (yⱼ - m)²).
    """
    spreads = np.linspace(0, spread_max, _SPREADS)[:, None] ** 2
    weights = 1 / (variances + spreads)
    about = 1 / weights.sum(axis=1, keepdims=True)
    middle = (weights * means).sum(axis=1, keepdims=True) * about
    fits = 0.5 * (np.log(weights) - weights * (means - middle) ** 2).sum(axis=1) + 0.5 * np.log(about[:, 0])
    likely = np.exp(fits - fits.max())
    likely /= likely.sum()
    whole, own = variances * weights, spreads * weights
    each = means * own + middle * whole
    mean = likely @ each
    variance = likely @ (variances * own + whole**2 * about + each**2) - mean**2
    return Pulled(mean, np.sqrt(np.maximum(variance, 0)), likely @ own)

"""Which keyframes show the same place, and which of their features are the same points."""

from __future__ import annotations

import numpy as np

from .features import Keyframe, match

# Every keyframe is tried against the next few; farther ones only where their words are alike.
_NEIGHBOURS, _FAR_CANDIDATES = 5, 4
_WORDS, _WORD_SAMPLES, _WORD_ROUNDS = 256, 8000, 6
MIN_MATCHES, MIN_FAR_MATCHES = 15, 25


def link(keyframes: list[Keyframe]) -> dict[tuple[int, int], np.ndarray]:
    """Pairs of keyframe indices (a < b) -> (n, 2) indices of matching features. Not yet verified by geometry."""
    links = {}
    for a, b in sorted(candidates(keyframes)):
        pairs = match(keyframes[a], keyframes[b])
        if len(pairs) >= (MIN_MATCHES if b - a <= _NEIGHBOURS else MIN_FAR_MATCHES):
            links[a, b] = pairs
    return links


def candidates(keyframes: list[Keyframe]) -> set[tuple[int, int]]:
    """Neighbours in time, and for each keyframe the most alike ones elsewhere (bag of words, tf-idf)."""
    featured = [i for i, k in enumerate(keyframes) if len(k.points_px) >= MIN_MATCHES]
    pairs = {(a, b) for i, a in enumerate(featured) for b in featured[i + 1 : i + 1 + _NEIGHBOURS]}
    likeness = _likeness([keyframes[i] for i in featured])
    for i, a in enumerate(featured):
        far = np.abs(np.arange(len(featured)) - i) > _NEIGHBOURS
        ranked = np.argsort(-np.where(far, likeness[i], -1.0), kind="stable")[:_FAR_CANDIDATES]
        pairs |= {(min(a, featured[j]), max(a, featured[j])) for j in ranked if far[j]}
    return pairs


def _likeness(keyframes: list[Keyframe]) -> np.ndarray:
    """(K, K) cosine of tf-idf histograms over words that the clip's own features make up (k-means)."""
    if len(keyframes) <= _NEIGHBOURS + 1:
        return np.zeros((len(keyframes), len(keyframes)))
    rng = np.random.default_rng(0)
    every = np.concatenate([k.descriptors for k in keyframes]).astype(np.float32)
    sample = every[rng.permutation(len(every))[:_WORD_SAMPLES]]
    words = sample[:_WORDS].copy()
    for _ in range(_WORD_ROUNDS):
        nearest = (sample @ words.T).argmax(axis=1)
        for word in np.unique(nearest):
            mean = sample[nearest == word].mean(axis=0)
            words[word] = mean / np.linalg.norm(mean)
    histograms = np.zeros((len(keyframes), len(words)))
    for row, keyframe in zip(histograms, keyframes, strict=True):
        nearest = (keyframe.descriptors.astype(np.float32) @ words.T).argmax(axis=1)
        row += np.bincount(nearest, minlength=len(words)) / max(1, len(nearest))
    histograms *= np.log(len(keyframes) / np.maximum((histograms > 0).sum(axis=0), 1) + 1)
    histograms /= np.maximum(np.linalg.norm(histograms, axis=1, keepdims=True), 1e-12)
    return histograms @ histograms.T

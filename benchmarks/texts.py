"""Texts to fill a store with: made from a fixed seed, so that every run stores the same."""

from __future__ import annotations

import random

_WHO = [
    "Alice",
    "Bob",
    "Carol",
    "Dmitri",
    "Elena",
    "Farid",
    "Grace",
    "Hiroshi",
    "Ines",
    "Jonas",
    "Kofi",
    "Lena",
    "Mateo",
    "Nadia",
    "Omar",
    "Priya",
]
_DID = [
    "deployed",
    "reviewed",
    "rolled",
    "back",
    "tested",
    "measured",
    "broke",
    "repaired",
    "documented",
    "migrated",
    "renamed",
]
_WHAT = [
    "billing service",
    "search index",
    "checkout page",
    "login form",
    "staging database",
    "nightly backup",
    "build pipeline",
    "cache layer",
    "mail queue",
    "payment gateway",
    "mobile app",
    "feature flag",
    "load balancer",
    "audit log",
    "user import",
]
_WHY = [
    "because the disk was full",
    "after the outage in Oslo",
    "to make it twice as fast",
    "before the release on Friday",
    "since customers complained",
    "when the certificate expired",
    "while traffic was low",
    "for the yearly audit",
]
_PLUS = [
    "It took {n} minutes.",
    "The ticket is OPS-{n}.",
    "Version {n} is affected.",
    "Room {n} was booked.",
    "Cost: {n} euros.",
]

QUERIES = [
    "why was the billing service rolled back",
    "who repaired the login form after the outage",
    "expired certificate",
    "which ticket is about the nightly backup",
    "how long did the migration of the staging database take",
    "feature flag before the release",
    "customers complained about the checkout page",
    "yearly audit of the payment gateway",
]


def sentences(count: int, seed: int = 7) -> list[str]:
    """Make that many different sentences of 60 to 120 characters."""
    chance = random.Random(seed)
    return [
        f"{chance.choice(_WHO)} {chance.choice(_DID)} the {chance.choice(_WHAT)} {chance.choice(_WHY)}. "
        + chance.choice(_PLUS).format(n=number)
        for number in range(count)
    ]

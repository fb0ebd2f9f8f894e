"""How passwords are hashed: Argon2id at the costs that OWASP names as its minimum.

Source: OWASP Password Storage Cheat Sheet, 2024: 46 MiB, one pass, one lane. See decision 0662.
"""

from django.contrib.auth.hashers import Argon2PasswordHasher


class SigningArgon2(Argon2PasswordHasher):
    """Argon2id with 46 MiB, one pass, one lane; an older hash is made anew at the next login."""

    memory_cost = 47_104  # KiB
    time_cost = 1
    parallelism = 1

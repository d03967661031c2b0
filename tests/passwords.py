"""Passwords hashed as always, but quickly: the tests make hundreds of people."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class QuickHasher(PBKDF2PasswordHasher):
    iterations = 1

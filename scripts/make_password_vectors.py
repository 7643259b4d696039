#!/usr/bin/env python3
"""Writes the vectors that hold `portcullis_security::password` against a real Django.

    python3 -m venv /tmp/vectors && /tmp/vectors/bin/pip install -r scripts/requirements.txt
    /tmp/vectors/bin/python scripts/make_password_vectors.py

Written are crates/security/tests/vectors/password_{hashes,policy}.json and
crates/security/data/common-passwords.txt. The same packages and Python give the same bytes: salts are
fixed, the random cases are seeded.
"""

import gzip
import json
import random
import re
import sys
import unicodedata
from pathlib import Path

import argon2
import django
from django.conf import settings

settings.configure(
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes"],
    PASSWORD_HASHERS=[
        f"django.contrib.auth.hashers.{name}PasswordHasher"
        for name in ("Argon2", "PBKDF2", "PBKDF2SHA1", "BCryptSHA256", "BCrypt", "Scrypt")
    ],
    USE_I18N=False,
)
django.setup()

from django.contrib.auth import hashers, password_validation as validation  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.core.exceptions import ValidationError  # noqa: E402

CRATE = Path(__file__).resolve().parent.parent / "crates" / "security"
SALT = "Aa0Bb1Cc2Dd3Ee4Ff5Gg6H"
BCRYPT_SALT = "abcdefghijklmnopqrstuu"
PASSWORDS = {
    "ascii": "correct horse battery staple",
    "empty": "",
    "one byte": "a",
    "blank ends": "  spaced out  ",
    "latin": "Zürich-Straße-1",
    "cyrillic and han": "пароль密码",
    "astral": "🔑🗝️ key",
    "combining": "e\u0301clair",
    "71 bytes": "x" * 71,
    "72 bytes": "x" * 72,
    "73 bytes": "x" * 73,
    "cut inside a character": "x" * 71 + "é" * 10,
    "200 bytes": "Long " * 40,
    "4096 bytes": "0123456789abcdef" * 256,
}


def hash_vectors():
    """Every password under every scheme, each confirmed by Django. Plain bcrypt sees 72 bytes only, so
    that a wrong password that begins alike is right to it."""
    for name, password in PASSWORDS.items():
        wrong = [password + "x", password[:-1] if password else " ", password.swapcase() + "!"]
        hashes = []
        for scheme, encoded in encodings(password):
            assert hashers.verify_password(password, encoded)[0], (name, encoded)
            for text in wrong:
                alike = scheme.startswith("bcrypt:") and text.encode()[:72] == password.encode()[:72]
                assert hashers.verify_password(text, encoded)[0] == alike, (name, encoded)
            hashes.append([scheme, encoded])
        yield {"password": password, "wrong": wrong, "hashes": hashes}


def encodings(password):
    """The hashes of one password, each with its scheme in the crate's short spelling."""
    for kind, version, memory, passes, lanes in [
        ("ID", 19, 8, 1, 1), ("ID", 19, 64, 3, 4), ("ID", 19, 67, 2, 2), ("I", 19, 64, 2, 2),
        ("D", 19, 64, 2, 1), ("I", 16, 64, 2, 1), ("ID", 16, 32, 2, 1),
    ]:
        encoded = "argon2" + argon2.low_level.hash_secret(
            password.encode(), SALT.encode(), time_cost=passes, memory_cost=memory, parallelism=lanes,
            hash_len=32, type=argon2.low_level.Type[kind], version=version,
        ).decode()
        scheme = f"argon2{kind.lower()}:{memory}:{passes}:{lanes}"
        yield scheme, encoded
        if version == 16:
            yield scheme, encoded.replace("v=16$", "")
    for hasher, costs in [(hashers.PBKDF2PasswordHasher(), (1, 2, 100)), (hashers.PBKDF2SHA1PasswordHasher(), (1, 37))]:
        for iterations in costs:
            yield f"{hasher.algorithm}:{iterations}", hasher.encode(password, SALT, iterations)
    yield "pbkdf2_sha256:1", hashers.PBKDF2PasswordHasher().encode(password, "gesalzen und gepfeffert: ü", 1)
    for hasher in (hashers.BCryptSHA256PasswordHasher(), hashers.BCryptPasswordHasher()):
        for version, cost in (("2b", 4), ("2a", 5), ("2y", 4)):
            salt = f"${version}${cost:02}${BCRYPT_SALT}".encode()
            yield f"{hasher.algorithm}:{cost}", hasher.encode(password, salt)
    scrypt = hashers.ScryptPasswordHasher()
    for work_factor, block_size, parallelism in ((2, 1, 1), (16, 8, 5), (64, 2, 3)):
        encoded = scrypt.encode(password, SALT, work_factor, block_size, parallelism)
        yield f"scrypt:{work_factor}:{block_size}:{parallelism}", encoded


def refused_hashes():
    """Texts that Django verifies as wrong or fails on, though the password is the right one."""
    password = "password"
    pbkdf2 = hashers.PBKDF2PasswordHasher().encode(password, SALT, 1)
    scrypt = hashers.ScryptPasswordHasher().encode(password, SALT, 16, 8, 1)
    crypt = hashers.BCryptPasswordHasher().encode(password, f"$2b$04${BCRYPT_SALT}".encode())
    parameters = {"time_cost": 1, "memory_cost": 8, "parallelism": 1}
    hasher = type("Cheap", (hashers.Argon2PasswordHasher,), parameters)()
    made = hasher.encode(password, SALT)
    texts = [
        "", "!", hashers.make_password(None), "password", "$", "$$$$", "argon2", "argon2$", "scrypt$$$$$",
        "md5$salt$67a1e09bb1f83f5007dc119c14d663aa", "sha1$salt$59b3e8d637cf97edbe2384cf59cb7453dfe30789",
        pbkdf2.replace("$1$", "$01$"), pbkdf2.replace("$1$", "$+1$"), pbkdf2.replace("$1$", "$0$"),
        pbkdf2.replace("$1$", "$1_0$"), pbkdf2.replace("$1$", "$-1$"), pbkdf2.replace("$1$", "$x$"),
        pbkdf2.rstrip("="), pbkdf2 + "\n", " " + pbkdf2, pbkdf2 + "=", pbkdf2.replace(SALT, ""),
        pbkdf2.upper(), pbkdf2.rsplit("$", 1)[0], pbkdf2 + "$", pbkdf2[:-8] + "====",
        scrypt.replace("$16$", "$17$"), scrypt.replace("$16$", "$1$"), scrypt.replace("$8$1$", "$0$1$"),
        scrypt.replace("$8$1$", "$8$0$"), scrypt.replace("$8$1$", "$8$"), scrypt.replace(SALT, ""),
        crypt.replace("$04$", "$03$"), crypt.replace("$04$", "$4$"), crypt.replace("$2b$", "$2c$"),
        crypt[:-1], crypt + "a", crypt.replace("bcrypt$$", "bcrypt$"), crypt.replace(BCRYPT_SALT, BCRYPT_SALT[:-1] + "v"),
        made.replace("v=19", "v=20"), made.replace("m=8", "m=7"), made.replace("t=1", "t=0"),
        made.replace("p=1", "p=0"), made.replace("p=1", "p=2"), made.replace(",p=1", ""),
        made.replace("m=8,t=1", "t=1,m=8"), made.replace("m=8", "m=08"), made.replace("argon2id", "argon2x"),
        made + "=", made + "$", made.replace("argon2$", "argon2$$"), made.rsplit("$", 1)[0] + "$",
    ]
    for text in texts:
        try:
            assert not hashers.verify_password(password, text)[0], text
        except (ValueError, AssertionError, TypeError, argon2.exceptions.Argon2Error) as error:
            assert not (isinstance(error, AssertionError) and error.args), error
    return texts


def argon2_of_django():
    """What Django's own hasher writes for a given salt and setting."""
    for memory, passes, lanes in ((8, 1, 1), (64, 2, 1), (100, 3, 2), (256, 1, 8)):
        costs = {"time_cost": passes, "memory_cost": memory, "parallelism": lanes}
        hasher = type("Cheap", (hashers.Argon2PasswordHasher,), costs)()
        for password in ("", "correct horse", "пароль密码", "x" * 200):
            yield {
                "password": password, "salt": SALT, "memory_kib": memory, "iterations": passes,
                "parallelism": lanes, "encoded": hasher.encode(password, SALT),
            }


class GuideComplexityValidator:
    """Section 4.1 of the guide: (code, pattern, message) in its order, and as it is written, first only."""

    RULES = [
        ("password_no_upper", r"[A-Z]", "Password must contain at least one uppercase letter."),
        ("password_no_lower", r"[a-z]", "Password must contain at least one lowercase letter."),
        ("password_no_number", r"\d", "Password must contain at least one number."),
        ("password_no_special", r'[!@#$%^&*(),.?":{}|<>]', "Password must contain at least one special character."),
    ]

    def literally(self, password):
        if len(password) < 8:
            return "password_too_short"
        return next((code for code, pattern, _ in self.RULES if not re.search(pattern, password)), None)

    def as_contracted(self, password):
        """Every failing class; special is whatever is neither letter nor number."""
        for code, pattern, message in self.RULES:
            if code == "password_no_special":
                missing = all(character.isalnum() for character in password)
            else:
                missing = not re.search(pattern, password)
            if missing:
                yield code, message

    def get_help_text(self):
        return (
            "Your password must contain at least 8 characters, including "
            "uppercase and lowercase letters, numbers, and special characters."
        )


SIMILAR = validation.UserAttributeSimilarityValidator()
COMMON = validation.CommonPasswordValidator()
NUMERIC = validation.NumericPasswordValidator()
COMPLEX = GuideComplexityValidator()


def errors_of(validator, password, user):
    try:
        validator.validate(password, user)
    except ValidationError as error:
        return [(error.code, error.messages[0])]
    return []


def length_errors(least, password):
    if len(password) > 128:
        return [("max_length", "Ensure this field has no more than 128 characters.")]
    return errors_of(validation.MinimumLengthValidator(least), password, None)


def policy_case(password, user, users):
    similar = errors_of(SIMILAR, password, users[user])
    common = errors_of(COMMON, password, None)
    guide = similar + length_errors(8, password) + common + errors_of(NUMERIC, password, None)
    return {
        "password": password,
        "user": user,
        "guide": guide + list(COMPLEX.as_contracted(password)),
        "guide_literally": COMPLEX.literally(password),
        "nist": similar + length_errors(15, password) + common,
    }


USERS = [
    ("", "", "", ""),
    ("alice", "Alice", "Liddell", "alice.liddell@wonderland.example"),
    ("bob_the_builder", "Bob", "O'Neil-Smith", "bob+news@mail.example.co.uk"),
    ("zoë", "Zoë", "Müller", "zoe@müller.example"),
    ("ΟΔΥΣΣΕΥΣ", "Ὀδυσσεύς", "İstanbul", "odysseus@ithaca.example"),
    ("x", "J.", "-", "a@b.c"),
    ("administrator" * 8, "Anna  Maria", "von der Heide", "a-very-long-address@sub.domain.example"),
    ("हिन्दी_१२३", "Ⓐⓑ", "李小龍", "१२३@example.org"),
]

FIXED = """
password Password Password1 Password1! PASSWORD1! 12345678 1234567 123456789012345678 qwerty letmein
aaaaaaaa AAAAAAAA Aa1! Aa1!Aa1! Aa1_Aa1_ Aa1~Aa1~ Aa1éAa1é Aa1-abcdefgh Tr0ub4dor&3 ١٢٣٤٥٦٧٨ Aa١٢٣!xyz ²²²²²²²²
①②③④⑤⑥⑦⑧ 1234567① Ⅷ12345678 Aa²!abcd Aaⅷ!abcd ÀÉÎÕÜàéîõü1! ＡＢＣａｂｃ１２３！ ABCabc１２３! abcABC१२३! 𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖
alice Alice123 ALICE liddell alicelid Alice!Liddell1 ecila wonderland.example liddell@wonderland
alice.liddell@wonderland.example bob_the_builder builder_the_bob oneil Smith1!x bobnews1 news+bob@mail
zoë zoe müller MÜLLER1! mueller zoë.müller οδυσσευς ΟΔΥΣΣΕΥΣ Ὀδυσσεύς1! i̇stanbul İSTANBUL1! istanbul
x xx xxx jj.. administratoradministrator1! anna.maria annamaria vonderheide Heide-von-der1! domain.sub
हिन्दी हिन्दी_१२३ ⓐⓑ ⒶⒷ 李小龍 李小龍李小龍李小龍 १२३१२३१२ correcthorsebatterystaple Correct-Horse-7-battery
mynoob zxcvbnm,./ 1q2w3e4r5t6y7u P@ssw0rd P@$$w0rd123 trustno1 iloveyou! dragon123456 qwertyuiopasdfgh
q1w2e3r4t5y6u7i8 1qaz2wsx3edc4rfv 123456789123456789 aaaaaaaaaaaaaaa friendofgerly
""".split()

ODD = [
    "", " ", "        ", "\tpassword\n", " PASSWORD ", "\x1cpassword\x1f", "pass word", "friend of gerly",
    "Friend Of Gerly", "password\u3000", "\u200bpassword", "Aa1 Aa1 ", "e\u0301" * 8, "Aa1\u0301abcd", "🔑" * 7, "🔑" * 8,
    "Aa1🔑abcd", "Aa1!" + "x" * 124, "Aa1!" + "x" * 125, "é" * 128, "é" * 129, "1" * 128, "1" * 129, "x" * 1000,
    "alice" * 10, "alice" * 30, "a" * 13, "a" * 14, "a" * 15, "Ab1!" * 4, "Ab1!" * 3 + "Ab1", "\x00\x01Aa1bcde", "İ" * 8,
    "ß" * 8, "ǅ" * 8, "ﬁ" * 8, "Aa1ﬁﬁﬁﬁﬁ", "Aa1्ािी", "Aa1Ⓐⓑⓒⓓ", "Aa1㊀㊁㊂", "१२३ हिन्दी", "_123_हिन्दी",
]


def random_cases(users, count):
    """Passwords near the user's data, where the likeness lies close to the threshold."""
    dice = random.Random(20261124)
    for _ in range(count):
        user = dice.randrange(1, len(users))
        parts = [text for text in USERS[user] if text]
        letters = list(dice.choice(parts) + dice.choice(["", "", dice.choice(parts)]))
        for _ in range(dice.randrange(len(letters) + 4)):
            position = dice.randrange(len(letters) + 1)
            letters[position:position + dice.randrange(2)] = dice.choice(["", "Q", "7", "!", "z", "é", "_"])
        if dice.random() < 0.3:
            dice.shuffle(letters)
        yield policy_case("".join(letters), user, users)


def policy_vectors():
    fields = ("username", "first_name", "last_name", "email")
    users = [User(**dict(zip(fields, values))) for values in USERS]
    cases = [policy_case(password, index % len(users), users) for index, password in enumerate(FIXED + ODD)]
    cases += [policy_case(password, 0, users) for password in FIXED + ODD]
    cases += [policy_case(password, user, users) for password in FIXED for user in (1, 2, 3, 4, 7)
              if errors_of(SIMILAR, password, users[user])]
    cases += random_cases(users, 300)
    minimum, nist = validation.MinimumLengthValidator(8), validation.MinimumLengthValidator(15)
    return {
        "guide_help": [v.get_help_text() for v in (SIMILAR, minimum, COMMON, NUMERIC, COMPLEX)],
        "nist_help": [v.get_help_text() for v in (SIMILAR, nist, COMMON)],
        "unicode": unicodedata.unidata_version,
        "characters": {
            "decimal": ranges(str.isdecimal),
            "digit": ranges(str.isdigit),
            "alphanumeric": ranges(str.isalnum),
            "space": ranges(str.isspace),
            "unassigned": ranges(lambda character: unicodedata.category(character) == "Cn"),
        },
        "users": [dict(zip(fields, values)) for values in USERS],
        "cases": cases,
    }


def ranges(holds):
    found = []
    for code in range(sys.maxunicode + 1):
        if holds(chr(code)):
            if found and found[-1][1] == code - 1:
                found[-1][1] = code
            else:
                found.append([code, code])
    return found


def write_common_list():
    with gzip.open(Path(validation.__file__).parent / "common-passwords.txt.gz", "rt", encoding="utf-8") as file:
        passwords = {line.strip() for line in file} - {""}
    (CRATE / "data" / "common-passwords.txt").write_bytes(b"".join(sorted(p.encode() + b"\n" for p in passwords)))


def write(name, vectors):
    """JSON with a line for each case, so that changes can be read."""
    def lines(value):
        if isinstance(value, list) and value and isinstance(value[0], (dict, str)):
            return "[\n" + ",\n".join(json.dumps(item, ensure_ascii=False) for item in value) + "\n]"
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    body = ",\n".join(f"{json.dumps(key)}: {lines(value)}" for key, value in vectors.items())
    (CRATE / "tests" / "vectors" / name).write_text("{\n" + body + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    source = f"Django {django.__version__}, scripts/make_password_vectors.py"
    hashes = {
        "source": source,
        "passwords": list(hash_vectors()),
        "refused": refused_hashes(),
        "argon2_of_django": list(argon2_of_django()),
    }
    write("password_hashes.json", hashes)
    write("password_policy.json", {"source": source} | policy_vectors())
    write_common_list()

"""ffuf against the login: five guesses in a minute, whatever a caller says of where it comes from.

Behind a proxy the caller is whom the proxy names, last in the field, and not whom the caller has named before.
"""

import json
import subprocess

from common import PASSWORD, program, server

SECONDS = {True: 5, False: 130}
BEHIND = "many accounts behind a proxy, with addresses of the caller's before the proxy's"


def guess(target, folder, words, places, seconds, rate):
    """How many calls were answered as a guess, and how many were made."""
    out = folder / "ffuf.json"
    lists = []
    for keyword, values in words.items():
        (folder / keyword).write_text("\n".join(values))
        lists += ["-w", f"{folder / keyword}:{keyword}"]
    command = [
        program("ffuf"), "-u", f"{target.url}/api/auth/login/", "-X", "POST", "-mode", "pitchfork", *lists,
        "-H", "Content-Type: application/json", *places, "-mc", "all", "-t", "20", "-p", str(20 / rate),
        "-maxtime", str(seconds), "-s", "-o", str(out), "-of", "json",
    ]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=seconds + 60)
    statuses = [found["status"] for found in json.loads(out.read_text())["results"]]
    return sum(status in (200, 401) for status in statuses), len(statuses)


def attack(binary, short):
    findings, calls = [], 0
    seconds = SECONDS[short]
    rate = 40
    count = seconds * rate
    passwords = [f"Wrong-{number}" for number in range(count - 1)] + [PASSWORD]
    addresses = [f"198.51.{number // 250 % 250}.{number % 250 + 1}" for number in range(count)]
    names = [f"user{number}" for number in range(count)]
    one = ["-d", '{"username":"ada","password":"PASS"}']
    spoofed = [word for name in ("X-Forwarded-For", "X-Real-IP", "CF-Connecting-IP", "X-Client-IP") for word in ("-H", f"{name}: ADDRESS")]
    cases = {
        "one account": ({"PASS": passwords}, one),
        "one account from many claimed addresses": ({"PASS": passwords, "ADDRESS": addresses}, [*one, *spoofed, "-H", "Forwarded: for=ADDRESS"]),
        "many accounts": ({"NAME": names, "PASS": passwords}, ["-d", '{"username":"NAME","password":"PASS"}']),
        "one account with device cookies": ({"PASS": passwords, "ADDRESS": addresses}, [*one, "-H", "Cookie: device=ADDRESS"]),
        BEHIND: (
            {"NAME": names, "PASS": passwords, "ADDRESS": addresses},
            ["-d", '{"username":"NAME","password":"PASS"}', "-H", "X-Forwarded-For: ADDRESS, 203.0.113.7"],
        ),
    }
    for name, (words, places) in cases.items():
        proxies = {"SERVER__TRUSTED_PROXIES": "127.0.0.1/32"} if name == BEHIND else {}
        with server(binary, throttled=True, **proxies) as target:
            answered, made = guess(target, target.folder, words, places, seconds, rate)
            calls += made
            allowed = 5 * (seconds // 60 + 1)
            if answered > allowed:
                findings.append(f"{name}: {answered} guesses were answered within {seconds} s")
            if answered < 1 or made < 3 * allowed:
                findings.append(f"{name}: {answered} of {made} were answered: nothing was tested")
    return f"{calls} guesses", findings

"""wapiti against the pages and the API."""

import json
import subprocess

from common import program, server

MODULES = "backup,blindsql,crlf,csrf,exec,file,htaccess,methods,permanentxss,redirect,shellshock,sql,ssrf,xss,xxe"
# What wapiti calls a weakness and is none here, with the reason.
ALLOWED = {
    "HTTP Methods": "OPTIONS is answered, as CORS asks",
}


def attack(binary, short):
    findings, notes = [], []
    with server(binary) as target:
        token = target.token("ada")
        starts = ("/", "/api/docs", "/api/books/?search=a&ordering=title", "/api/reviews/?user=ada&book=1", "/api/profiles/ada/",
                  "/api/notifications/unsubscribe/?token=a", "/login", "/verify-email?token=a", "/dev/mail/")
        out = target.folder / "wapiti.json"
        command = [
            program("wapiti"), "-u", f"{target.url}/", *[word for path in starts for word in ("-s", target.url + path)],
            "-m", MODULES if not short else "crlf,file,redirect,sql,xss", "--scope", "domain", "--flush-session", "--no-bugreport",
            "--max-scan-time", "20" if short else "600", "-d", "3", "--store-session", str(target.folder / "session"),
            "-H", f"Authorization: Bearer {token}", "-f", "json", "-o", str(out), "-v", "0",
        ]
        ended = subprocess.run(command, cwd=target.folder, capture_output=True, text=True, timeout=200 if short else 3600)
        if not out.exists():
            return "no report", [f"wapiti did not report: {(ended.stdout + ended.stderr)[-1500:]}"]
        report = json.loads(out.read_text())
        notes.append(f"{report['infos'].get('crawled_pages_nbr', report['infos'].get('crawled_pages', '?'))} pages crawled")
        for kind in ("vulnerabilities", "anomalies"):
            for name, found in report[kind].items():
                if name not in ALLOWED:
                    findings += [f"{name}: {one.get('method')} {one.get('path')} {one.get('info')}" for one in found]
    return "; ".join(notes), findings

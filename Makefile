.PHONY: attack attack-short fuzz sbom licences ages advisories reproducible run web check test e2e pictures timing crash bench bench-search growth word-vectors

run: web
	cargo run -- serve

# The pages, when they are missing or older than their sources; the binary embeds them.
web: web/dist/index.html
WEB_SOURCES := $(shell find web/index.html web/*.json web/*.ts web/public web/src web/vite clients/typescript/src -type f)
web/dist/index.html: $(WEB_SOURCES)
	scripts/web_build.sh

check:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings

test:
	scripts/test.sh

# Every page in a real browser, with pictures in web/screenshots/.
e2e: web
	cargo build
	scripts/e2e.sh "$${CARGO_TARGET_DIR:-target}/debug/portcullis"

# The pictures of the README, made anew.
pictures: web
	cargo build
	PICTURES=../docs/pictures scripts/e2e.sh "$${CARGO_TARGET_DIR:-target}/debug/portcullis" pictures

# What the time of an answer tells, with more calls than in make test; wants the machine to itself.
timing:
	TIMING_ALONE=1 cargo nextest run -p portcullis --no-capture -E 'test(/^timing::/)'

# SIGKILL during 1,000 registrations, 20 times, and among 10,000 messages.
crash:
	cargo build
	python3 scripts/kill_nine.py "$${CARGO_TARGET_DIR:-target}/debug/portcullis" 20
	cargo nextest run -p portcullis --run-ignored only --no-capture -E 'test(ten_thousand_messages)'

# The time of each query at 10,000 and at 1,000,000 reviews, in release; takes some minutes.
growth:
	cargo build --release
	python3 scripts/growth.py "$${CARGO_TARGET_DIR:-target}/release/portcullis"

# A release build against the limits of this machine; takes two minutes on two idle cores.
bench: web
	cargo bench --bench server > docs/benchmarks.md.new
	mv docs/benchmarks.md.new docs/benchmarks.md

# The CPU time and memory of a search in 100,000 books, in release.
bench-search:
	cargo bench --bench search

# What the search knows of words, made anew from its model and compared byte for byte; takes three minutes.
word-vectors:
	scripts/word_vectors.sh

# Attackers let loose on a server of its own (docs/attacks.md); takes hours. NAMES chooses some of them.
attack: web
	cargo build
	scripts/attack.sh "$${CARGO_TARGET_DIR:-target}/debug/portcullis" $(NAMES)

# As make test does it, within minutes.
attack-short: web
	cargo build
	scripts/attack.sh "$${CARGO_TARGET_DIR:-target}/debug/portcullis" --short $(NAMES)

# Every fuzz target for FUZZ_SECONDS (600); TARGETS chooses some of them.
fuzz:
	scripts/fuzz.sh $(TARGETS)

# What is in the binary, as CycloneDX.
sbom:
	"$$(scripts/tools.sh)/attacks/bin/python" scripts/supply/sbom.py sbom.json

# THIRD-PARTY.txt, made anew.
licences: web
	python3 scripts/supply/third_party.py

# Whether a dependency is younger than a week.
ages:
	"$$(scripts/tools.sh)/attacks/bin/python" scripts/supply/ages.py "$$(scripts/tools.sh)/ages"

# Published weaknesses of what is built in; wants the internet.
advisories:
	PATH="$$PATH:$$(scripts/tools.sh)/bin" cargo deny --locked check advisories
	npm audit --omit=dev --prefix web

# Two release builds in two folders, compared byte for byte.
reproducible:
	scripts/supply/reproducible.sh

.PHONY: run check test

run:
	cargo run -- serve

check:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings

test:
	scripts/test.sh

//! Search in words of one's own: by meaning and by word, answered here or by Anthropic's API (guide §12.1, contract §3).
mod index;
mod meaning;
mod rank;
mod text;

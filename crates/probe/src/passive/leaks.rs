//! What gives a server away in a text.

const TRACES: &[&str] = &[
    "Traceback (most recent call last)",
    "DEBUG = True",
    "Using the URLconf defined in",
    "Werkzeug Debugger",
    "/site-packages/",
    "node_modules/",
    "at java.",
    "java.lang.",
    "Stack trace:",
    "stack backtrace:",
    "Whoops, looks like something went wrong",
    "ActionController::",
    "Symfony\\Component",
    "Microsoft.AspNetCore",
    "SQLSTATE[",
    "syntax error at or near",
    "thread 'main' panicked",
    "goroutine 1 [",
];

/// Whether a text is or holds a trace or a debug page.
pub(super) fn is_trace(text: &str) -> bool {
    TRACES.iter().any(|trace| text.contains(trace)) || has_js_frame(text)
}

/// `at name (/path/file.js:12:3)`.
fn has_js_frame(text: &str) -> bool {
    text.contains(".js:") && text.contains("    at ")
}

/// A version in a header field, such as `nginx/1.24.0`.
pub(super) fn has_version(value: &str) -> bool {
    let is_number = |part: &str| part.starts_with(|c: char| c.is_ascii_digit());
    value.split_whitespace().any(|word| is_number(word) || word.split('/').skip(1).any(is_number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traces_and_versions_are_told_from_words() {
        assert!(is_trace("…\nTraceback (most recent call last):\n"));
        assert!(is_trace("Error: x\n    at f (/app/index.js:3:1)"));
        assert!(!is_trace("{\"error\": \"Not found\"}"));
        assert!(
            has_version("nginx/1.24.0")
                && has_version("Apache/2.4.1 (Unix)")
                && has_version("WSGIServer/0.2 CPython/3.12")
        );
        assert!(has_version("4.0.30319") && has_version("Phusion Passenger 6.0.4") && has_version("PHP/8"));
        assert!(
            !has_version("ASP.NET") && !has_version("Apache (Debian)") && !has_version("gunicorn/(none)")
        );
        assert!(!has_version("nginx") && !has_version("cloudflare") && !has_version("Express"));
    }
}

//! An event as one line of JSON, written without a value in between: this runs for every call.

use portcullis_security::clock::Clock;
use std::fmt::{self, Debug, Write};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// `{"timestamp": RFC 3339, "level": TEXT, …fields, "target": TEXT}`.
pub(super) struct Json;

impl<S, N> FormatEvent<S, N> for Json
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let metadata = event.metadata();
        let now = Clock::system().now();
        write!(writer, "{{\"timestamp\":\"{now}\",\"level\":\"{}\"", metadata.level().as_str())?;
        let mut fields = Fields { writer: writer.by_ref(), outcome: Ok(()) };
        event.record(&mut fields);
        fields.outcome?;
        writer.write_str(",\"target\":\"")?;
        Escaped(writer.by_ref()).write_str(metadata.target())?;
        writer.write_str("\"}\n")
    }
}

struct Fields<'a> {
    writer: Writer<'a>,
    outcome: fmt::Result,
}

impl Fields<'_> {
    fn text(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        self.write(field, |writer| {
            writer.write_char('"')?;
            Escaped(writer.by_ref()).write_fmt(value)?;
            writer.write_char('"')
        });
    }

    fn number(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        self.write(field, |writer| writer.write_fmt(value));
    }

    fn write(&mut self, field: &Field, value: impl FnOnce(&mut Writer<'_>) -> fmt::Result) {
        if self.outcome.is_ok() {
            // The names are ours: they need no escape.
            self.outcome =
                write!(self.writer, ",\"{}\":", field.name()).and_then(|()| value(&mut self.writer));
        }
    }
}

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.text(field, format_args!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, format_args!("{value}"));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.number(field, format_args!("{value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.number(field, format_args!("{value}"));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.number(field, format_args!("{value}"));
    }
}

/// Writes the inside of a JSON string.
struct Escaped<'a>(Writer<'a>);

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some(place) = rest.find(|letter: char| matches!(letter, '"' | '\\' | '\0'..='\x1f')) {
            let (plain, special) = rest.split_at(place);
            self.0.write_str(plain)?;
            let (letter, after) = special.split_at(1);
            match letter {
                "\"" | "\\" => write!(self.0, "\\{letter}")?,
                _ => letter.bytes().try_for_each(|byte| write!(self.0, "\\u{byte:04x}"))?,
            }
            rest = after;
        }
        self.0.write_str(rest)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::Value;
    use std::io::{Read, Seek};
    use std::sync::Arc;

    fn line(log: impl FnOnce()) -> Value {
        let mut file = tempfile::tempfile().unwrap();
        let writer = Arc::new(file.try_clone().unwrap());
        let subscriber = tracing_subscriber::fmt().event_format(Json).with_writer(writer).finish();
        tracing::subscriber::with_default(subscriber, log);
        let mut line = String::new();
        file.rewind().unwrap();
        file.read_to_string(&mut line).unwrap();
        assert_eq!(line.matches('\n').count(), 1, "{line}");
        serde_json::from_str(&line).unwrap()
    }

    #[test]
    fn a_line_is_an_object_with_the_fields_of_the_event() {
        let found = line(|| {
            tracing::info!(request_id = %"00ff", status = 200_u16, delta = -3, done = true, half = 0.5, "request");
        });
        assert_eq!(found["message"], "request");
        assert_eq!((&found["request_id"], &found["status"]), (&"00ff".into(), &200.into()));
        assert_eq!((&found["delta"], &found["done"]), (&(-3).into(), &true.into()));
        assert_eq!((&found["level"], &found["half"]), (&"INFO".into(), &"0.5".into()));
        assert!(found["timestamp"].as_str().unwrap().ends_with('Z'));
        assert_eq!(found["target"], module_path!());
    }

    #[test]
    fn what_somebody_sends_does_not_break_out_of_its_line() {
        let hostile = "\"},{\n\r\t\\\u{0}\u{1f}\u{7f}\u{2028}é\u{1f600}";
        let found = line(|| tracing::info!(shown = %hostile, text = hostile, "{hostile}"));
        for name in ["shown", "text", "message"] {
            assert_eq!(found[name], hostile);
        }
    }
}

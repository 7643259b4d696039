//! How the layers become one: names are resolved, the strongest value wins, unknown names are told.

use super::{
    credentials,
    problem::{MOST_TOLD, Problem},
    settings::{Entry, Settings, Source},
    sources::Sources,
    spec::{self, CONFIG_NAME, PREFIX, Spec},
    toml_file,
};
use portcullis_security::secret::Secret;
use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

/// See [`Settings::merge`].
pub(super) fn merge(sources: Sources) -> Settings {
    let Sources { toml, dotenv, environment, flags, read_file, problems } = sources;
    let mut merged = Merge { problems, ..Merge::default() };
    if let Some((path, text)) = toml {
        let (pairs, problems) = toml_file::flatten(&path, &text);
        merged.problems.extend(problems);
        merged.add_layer(&Source::Toml(path), pairs);
    }
    merged.add_layer(&Source::Dotenv, dotenv);
    merged.add_layer(&Source::Environment, environment);
    merged.add_layer(&Source::Flag, flags);
    merged.finish(read_file)
}

/// See [`Sources::files_with_secrets`].
pub(super) fn files_with_secrets(sources: &Sources) -> Vec<PathBuf> {
    let toml = sources.toml.as_ref();
    let toml = toml.map(|(path, text)| (Source::Toml(path.clone()), toml_file::flatten(path, text).0));
    let layers = toml.into_iter().chain([(Source::Dotenv, sources.dotenv.clone())]);
    let with_secrets =
        layers.filter(|(source, pairs)| pairs.iter().any(|(name, text)| holds_secret(source, name, text)));
    with_secrets.map(|(source, _)| PathBuf::from(source.to_string())).collect()
}

fn holds_secret(source: &Source, spelled: &str, text: &str) -> bool {
    resolve(source, spelled).is_some_and(|named| !named.is_file && named.spec.hides(text))
}

struct Candidate {
    entry: Entry,
    /// Whether the name was our own rather than the usual one.
    is_own: bool,
}

#[derive(Default)]
struct Merge {
    winners: BTreeMap<&'static str, Candidate>,
    problems: Vec<Problem>,
}

/// What a name in some layer stands for.
struct Named {
    spec: &'static Spec,
    is_file: bool,
    is_own: bool,
}

impl Merge {
    fn add_layer(&mut self, source: &Source, pairs: Vec<(String, String)>) {
        let mut layer: BTreeMap<&'static str, Candidate> = BTreeMap::new();
        let told = self.problems.len();
        for (spelled, text) in pairs {
            match resolve(source, &spelled) {
                Some(named) if named.is_file && text.is_empty() => {}
                Some(named) => self.add(&mut layer, source, named, (spelled, text)),
                None if self.problems.len() - told >= MOST_TOLD => {}
                None if is_ours(source, &spelled, &text) => self.problems.push(unknown(source, &spelled)),
                None => {}
            }
        }
        self.problems.truncate(told + MOST_TOLD);
        self.winners.extend(layer);
    }

    fn add(
        &mut self,
        layer: &mut BTreeMap<&'static str, Candidate>,
        source: &Source,
        named: Named,
        (spelled, text): (String, String),
    ) {
        let Named { spec, is_file, is_own } = named;
        let entry = Entry {
            file: is_file.then(|| PathBuf::from(&text)),
            text: if is_file { Secret::new(Vec::new()) } else { Secret::from(text) },
            source: source.clone(),
            spelled: display_name(source, spelled),
        };
        match layer.get(spec.name) {
            Some(other) if other.is_own && !is_own => return,
            Some(other) if other.is_own == is_own && is_contradiction(&other.entry, &entry) => {
                let sentence = format!(
                    "{} and {} ({source}) are both set: remove one of them.",
                    other.entry.spelled, entry.spelled
                );
                self.problems.push(Problem::new(spec.name, sentence));
            }
            // A file beside an empty value: the file is meant.
            Some(other) if other.is_own == is_own && other.entry.file.is_some() && !is_file => return,
            _ => {}
        }
        layer.insert(spec.name, Candidate { entry, is_own });
    }

    fn finish(mut self, read_file: fn(&Path) -> io::Result<Vec<u8>>) -> Settings {
        let mut entries = BTreeMap::new();
        for (name, Candidate { mut entry, .. }) in self.winners {
            if let Some(path) = &entry.file {
                match read_secret(path, read_file) {
                    Ok(text) => entry.text = text,
                    Err(reason) => {
                        let Entry { spelled, source, .. } = &entry;
                        let sentence = format!(
                            "{spelled} ({source}) names {}, which cannot be used ({reason}): mend the path or the file.",
                            path.display()
                        );
                        self.problems.push(Problem::new(name, sentence));
                    }
                }
            }
            entries.insert(name, entry);
        }
        Settings::new(entries, self.problems)
    }
}

fn is_contradiction(one: &Entry, other: &Entry) -> bool {
    let is_set = |entry: &Entry| entry.file.is_some() || !entry.text.expose().is_empty();
    one.file.is_some() != other.file.is_some() && is_set(one) && is_set(other)
}

fn read_secret(path: &Path, read_file: fn(&Path) -> io::Result<Vec<u8>>) -> Result<Secret, String> {
    let bytes = Secret::new(read_file(path).map_err(|error| error.to_string())?);
    let text = std::str::from_utf8(bytes.expose()).map_err(|_| "it is not UTF-8 text".to_owned())?;
    let text = text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
    // Taken for unset, it would put another key in the place of the one that was meant.
    if text.is_empty() { Err("it is empty".to_owned()) } else { Ok(Secret::from(text)) }
}

fn resolve(source: &Source, spelled: &str) -> Option<Named> {
    match source {
        Source::Toml(_) => own(spelled),
        Source::Flag => own(&flag_name(spelled)),
        _ => match spelled.strip_prefix(PREFIX) {
            Some(name) => own(name),
            None => usual(spelled),
        },
    }
}

fn flag_name(spelled: &str) -> String {
    let name = spelled.replace('.', "__").to_ascii_uppercase();
    name.strip_prefix(PREFIX).map_or(name.clone(), str::to_owned)
}

fn own(name: &str) -> Option<Named> {
    named(name, spec::find).map(|(spec, is_file)| Named { spec, is_file, is_own: true })
}

fn usual(name: &str) -> Option<Named> {
    named(name, spec::find_usual).map(|(spec, is_file)| Named { spec, is_file, is_own: false })
}

fn named(name: &str, find: fn(&str) -> Option<&'static Spec>) -> Option<(&'static Spec, bool)> {
    if let Some(spec) = find(name) {
        return Some((spec, false));
    }
    let spec = find(name.strip_suffix("_FILE")?)?;
    spec.is_secret().then_some((spec, true))
}

/// Whether a name that is no setting is ours to complain about.
fn is_ours(source: &Source, spelled: &str, text: &str) -> bool {
    match source {
        Source::Flag => !spelled.eq_ignore_ascii_case(CONFIG_NAME),
        Source::Dotenv | Source::Environment => match spelled.strip_prefix(PREFIX) {
            Some(CONFIG_NAME) | None => false,
            Some(name) => *source != Source::Environment || !is_service_link(name, text),
        },
        _ => true,
    }
}

/// Whether Kubernetes made the variable: for a service called `portcullis` it hands every pod of the namespace
/// `PORTCULLIS_SERVICE_HOST`, `PORTCULLIS_PORT=tcp://…`, `PORTCULLIS_PORT_8000_TCP_ADDR` and the like.
fn is_service_link(name: &str, text: &str) -> bool {
    let has_protocol = ["_TCP", "_UDP", "_SCTP"].iter().any(|protocol| name.contains(protocol));
    let name = format!("_{name}");
    !name.contains("__")
        && (name.ends_with("_SERVICE_HOST")
            || name.contains("_SERVICE_PORT")
            || (name.contains("_PORT_") && has_protocol)
            || (name.ends_with("_PORT") && text.contains("://")))
}

fn unknown(source: &Source, spelled: &str) -> Problem {
    let is_toml = matches!(source, Source::Toml(_));
    let name = match source {
        Source::Toml(_) => spelled.to_owned(),
        Source::Flag => flag_name(spelled),
        _ => spelled.strip_prefix(PREFIX).unwrap_or(spelled).to_owned(),
    };
    let advice = match spec::nearest(&name) {
        Some(spec) if is_toml => format!("did you mean {}?", spec.toml_name()),
        Some(spec) => format!("did you mean {}?", spec.environment_name()),
        None => "remove it; `portcullis config explain` lists those that are.".to_owned(),
    };
    let shown = credentials::without_controls(&display_name(source, spelled.to_owned()));
    Problem::new(spelled, format!("{shown} ({source}) is not a setting: {advice}"))
}

/// A name as an operator finds it in that source.
fn display_name(source: &Source, spelled: String) -> String {
    match source {
        Source::Toml(_) => spelled.replace("__", ".").to_lowercase(),
        _ => spelled,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn environment(environment: &[(&str, &str)]) -> Settings {
        Settings::merge(Sources { environment: pairs(environment), read_file: files, ..Sources::default() })
    }

    fn files(path: &Path) -> io::Result<Vec<u8>> {
        match path.to_str() {
            Some("/run/key") => Ok(b"from a file\r\n".to_vec()),
            Some("/run/lines") => Ok(b" two\n\n".to_vec()),
            Some("/run/empty") => Ok(b"\n".to_vec()),
            Some("/run/bytes") => Ok(vec![0xff, 0xfe]),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn text(settings: &Settings, name: &str) -> String {
        settings.text(spec::find(name).unwrap()).expose_text().to_owned()
    }

    fn sentences(settings: &Settings) -> Vec<String> {
        settings.problems().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_layer_wins_over_the_one_below() {
        let mut sources = Sources::default();
        let name = |sources: &Sources| {
            let settings = Settings::merge(sources.clone());
            assert_eq!(settings.problems(), []);
            let source = settings.entry("SITE__NAME").map_or(Source::Default, |entry| entry.source.clone());
            (text(&settings, "SITE__NAME"), source.to_string())
        };
        let pair = |value: &str, source: &str| (value.to_owned(), source.to_owned());
        assert_eq!(name(&sources), pair("Portcullis", "default"));
        sources.toml = Some(("my.toml".to_owned(), "[site]\nname = \"toml\"".to_owned()));
        assert_eq!(name(&sources), pair("toml", "my.toml"));
        sources.dotenv = pairs(&[("PORTCULLIS_SITE__NAME", "dotenv")]);
        assert_eq!(name(&sources), pair("dotenv", ".env"));
        sources.environment = pairs(&[("PORTCULLIS_SITE__NAME", "environment")]);
        assert_eq!(name(&sources), pair("environment", "environment"));
        sources.flags = pairs(&[("site.name", "flag")]);
        assert_eq!(name(&sources), pair("flag", "flag"));
    }

    #[test]
    fn a_file_holds_secrets_by_what_stands_in_it() {
        let found = |dotenv: &[(&str, &str)], toml: &str| {
            let toml = Some(("my.toml".to_owned(), toml.to_owned()));
            Sources { toml, dotenv: pairs(dotenv), ..Sources::default() }.files_with_secrets()
        };
        let url = ("PORTCULLIS_MAIL__URL", "smtp://127.0.0.1:9");
        assert!(found(&[url, ("SECRET_KEY", ""), ("SECRET_KEY_FILE", "/run/key")], "").is_empty());
        assert_eq!(found(&[("PORTCULLIS_MAIL__URL", "smtp://a:b@mail")], ""), [Path::new(".env")]);
        assert_eq!(found(&[], "secret_key = \"x\""), [Path::new("my.toml")]);
    }

    #[test]
    fn a_file_of_unknown_names_is_told_of_in_a_few_lines() {
        let unknown = (0..2_000).map(|number| (format!("PORTCULLIS_X{number}"), String::new())).collect();
        let settings = Settings::merge(Sources { dotenv: unknown, ..Sources::default() });
        assert_eq!(settings.problems().len(), MOST_TOLD);
    }

    #[test]
    fn the_usual_names_work_and_our_own_win_over_them() {
        let settings =
            environment(&[("SECRET_KEY", "usual"), ("REDIS_URL", "redis://a"), ("AWS_REGION", "eu")]);
        assert_eq!(text(&settings, "SECRET_KEY"), "usual");
        assert_eq!(text(&settings, "STORAGE__REDIS_URL"), "redis://a");
        assert_eq!(text(&settings, "STORAGE__AWS_REGION"), "eu");
        for order in [["PORTCULLIS_SECRET_KEY", "SECRET_KEY"], ["SECRET_KEY", "PORTCULLIS_SECRET_KEY"]] {
            let settings = environment(&order.map(|name| (name, name)));
            assert_eq!(text(&settings, "SECRET_KEY"), "PORTCULLIS_SECRET_KEY");
        }
    }

    #[test]
    fn a_secret_may_lie_in_a_file() {
        for name in ["SECRET_KEY_FILE", "PORTCULLIS_SECRET_KEY_FILE"] {
            let settings = environment(&[(name, "/run/key")]);
            assert_eq!(text(&settings, "SECRET_KEY"), "from a file");
            assert_eq!(sentences(&settings), [""; 0]);
        }
        // One newline goes; the rest is the secret's own.
        assert_eq!(text(&environment(&[("SECRET_KEY_FILE", "/run/lines")]), "SECRET_KEY"), " two\n");
        let toml = Some(("p.toml".to_owned(), "[storage]\ndatabase_url_file = \"/run/key\"".to_owned()));
        let settings = Settings::merge(Sources { toml, read_file: files, ..Sources::default() });
        assert_eq!(text(&settings, "STORAGE__DATABASE_URL"), "from a file");
    }

    #[test]
    fn a_file_that_cannot_be_read_is_a_problem_only_where_it_wins() {
        let settings = environment(&[("SECRET_KEY_FILE", "/run/none")]);
        assert!(sentences(&settings)[0].starts_with("SECRET_KEY_FILE (environment) names /run/none"));
        assert!(sentences(&environment(&[("SECRET_KEY_FILE", "/run/bytes")]))[0].contains("not UTF-8"));
        assert!(sentences(&environment(&[("SECRET_KEY_FILE", "/run/empty")]))[0].contains("is empty"));
        let settings = Settings::merge(Sources {
            dotenv: pairs(&[("SECRET_KEY_FILE", "/run/none")]),
            environment: pairs(&[("SECRET_KEY", "x")]),
            read_file: files,
            ..Sources::default()
        });
        assert_eq!(sentences(&settings), [""; 0]);
    }

    #[test]
    fn a_value_and_a_file_together_are_a_contradiction_unless_one_is_empty() {
        let settings = environment(&[("SECRET_KEY", "x"), ("SECRET_KEY_FILE", "/run/key")]);
        assert_eq!(sentences(&settings).len(), 1);
        for order in [
            [("SECRET_KEY", ""), ("SECRET_KEY_FILE", "/run/key")],
            [("SECRET_KEY_FILE", "/run/key"), ("SECRET_KEY", "")],
        ] {
            let settings = environment(&order);
            assert_eq!(
                (text(&settings, "SECRET_KEY").as_str(), sentences(&settings).len()),
                ("from a file", 0)
            );
        }
        assert!(environment(&[("SECRET_KEY_FILE", "")]).entry("SECRET_KEY").is_none());
    }

    #[test]
    fn an_empty_value_unsets_what_a_lower_layer_gave() {
        let settings = Settings::merge(Sources {
            dotenv: pairs(&[("REDIS_URL", "redis://a")]),
            environment: pairs(&[("REDIS_URL", "")]),
            ..Sources::default()
        });
        assert_eq!(text(&settings, "STORAGE__REDIS_URL"), "");
    }

    #[test]
    fn an_unknown_name_is_told_with_its_source_and_the_nearest_one() {
        let settings = Settings::merge(Sources {
            toml: Some(("p.toml".to_owned(), "[server]\nlisen = \"x\"\nlisten_file = \"y\"".to_owned())),
            dotenv: pairs(&[("PORTCULLIS_SERVER_LISTEN", "x"), ("OTHER", "x")]),
            environment: pairs(&[
                ("PORTCULLIS_DATABASE_URL", "x"),
                ("PORTCULLIS_ZEBRA\n", "x"),
                ("PATH", "x"),
            ]),
            flags: pairs(&[("site.nam", "x"), ("config", "p.toml")]),
            ..Sources::default()
        });
        let sentences = sentences(&settings);
        let expected = [
            "server.lisen (p.toml) is not a setting: did you mean server.listen?",
            "server.listen_file (p.toml) is not a setting: ",
            "PORTCULLIS_SERVER_LISTEN (.env) is not a setting: did you mean PORTCULLIS_SERVER__LISTEN?",
            "PORTCULLIS_DATABASE_URL (environment) is not a setting: did you mean PORTCULLIS_STORAGE__DATABASE_URL?",
            "PORTCULLIS_ZEBRA\u{fffd} (environment) is not a setting: remove it; ",
            "site.nam (flag) is not a setting: did you mean PORTCULLIS_SITE__NAME?",
        ];
        assert_eq!(sentences.len(), expected.len(), "{sentences:#?}");
        assert!(sentences.iter().zip(expected).all(|(one, start)| one.starts_with(start)), "{sentences:#?}");
    }

    #[test]
    fn what_kubernetes_sets_for_a_service_of_our_name_is_not_judged() {
        let links = [
            ("PORTCULLIS_SERVICE_HOST", "10.0.0.1"),
            ("PORTCULLIS_SERVICE_PORT", "80"),
            ("PORTCULLIS_SERVICE_PORT_HTTP", "80"),
            ("PORTCULLIS_PORT", "tcp://10.0.0.1:80"),
            ("PORTCULLIS_PORT_80_TCP", "tcp://10.0.0.1:80"),
            ("PORTCULLIS_PORT_80_TCP_ADDR", "10.0.0.1"),
            ("PORTCULLIS_REDIS_SERVICE_HOST", "10.0.0.2"),
        ];
        assert_eq!(sentences(&environment(&links)), [""; 0]);
        assert_eq!(sentences(&environment(&[("PORTCULLIS_PORT", "8000")])).len(), 1);
        assert_eq!(sentences(&environment(&[("PORTCULLIS_SERVER__SERVICE_HOST", "x")])).len(), 1);
    }
}

//! Where settings come from, as values: only [`Sources::from_process`] looks at the process.

use super::{
    dotenv,
    merge::files_with_secrets,
    problem::Problem,
    spec::{CONFIG_NAME, PREFIX},
};
use std::{
    ffi::OsString,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

/// The settings file that is read when no other is named; it need not exist.
const DEFAULT_FILE: &str = "portcullis.toml";
const DOTENV_FILE: &str = ".env";
/// 1 MiB: more than any settings file or key, and an end to reading `/dev/zero`.
const LONGEST_FILE: u64 = 1 << 20;

/// Everything that settings are made of, weakest layer first.
#[derive(Clone)]
pub struct Sources {
    /// The settings file: its path, for messages, and its text.
    pub toml: Option<(String, String)>,
    /// Names and values of `.env`; they never enter the process's environment, where children and
    /// `/proc` would show them.
    pub dotenv: Vec<(String, String)>,
    /// The environment.
    pub environment: Vec<(String, String)>,
    /// What the command line says, as `SERVER__LISTEN` or `server.listen`.
    pub flags: Vec<(String, String)>,
    /// Reads the file that a `…_FILE` names.
    pub read_file: fn(&Path) -> io::Result<Vec<u8>>,
    /// What went wrong while these were gathered.
    pub problems: Vec<Problem>,
}

impl Default for Sources {
    fn default() -> Self {
        Self {
            toml: None,
            dotenv: Vec::new(),
            environment: Vec::new(),
            flags: Vec::new(),
            read_file: read_capped,
            problems: Vec::new(),
        }
    }
}

impl Sources {
    /// Gathers the settings file, `.env` in the working directory, the environment and the given flags.
    ///
    /// The settings file is `portcullis.toml` in the working directory unless the flag `CONFIG` or
    /// `PORTCULLIS_CONFIG` (environment, then `.env`) names another, which must then exist.
    #[must_use]
    pub fn from_process(flags: Vec<(String, String)>) -> Self {
        let mut sources = Self { flags, ..Self::default() };
        sources.take_environment(std::env::vars_os());
        if let Some(text) = sources.take_file(DOTENV_FILE, false) {
            let (pairs, problems) = dotenv::parse(&text);
            sources.dotenv = pairs;
            sources.problems.extend(problems);
        }
        let named = sources.named_file();
        let path = named.clone().unwrap_or_else(|| DEFAULT_FILE.to_owned());
        sources.toml = sources.take_file(&path, named.is_some()).map(|text| (path, text));
        sources
    }

    /// Which of `.env` and the settings file hold a secret, whether it wins or not.
    #[must_use]
    pub fn files_with_secrets(&self) -> Vec<PathBuf> {
        files_with_secrets(self)
    }

    fn take_environment(&mut self, variables: impl Iterator<Item = (OsString, OsString)>) {
        for (name, value) in variables {
            match (name.into_string(), value.into_string()) {
                (Ok(name), Ok(value)) => self.environment.push((name, value)),
                (Ok(name), Err(_)) if name.starts_with(PREFIX) => {
                    let sentence = format!("{name} (environment) is not UTF-8: write it in UTF-8.");
                    self.problems.push(Problem::new(&name, sentence));
                }
                _ => {}
            }
        }
    }

    fn named_file(&self) -> Option<String> {
        let variable = format!("{PREFIX}{CONFIG_NAME}");
        let in_flags = |(name, _): &&(String, String)| name.eq_ignore_ascii_case(CONFIG_NAME);
        let in_layer = |(name, _): &&(String, String)| *name == variable;
        let flag = self.flags.iter().rev().find(in_flags);
        let found = flag
            .or_else(|| self.environment.iter().rev().find(in_layer))
            .or_else(|| self.dotenv.iter().rev().find(in_layer));
        found.map(|(_, path)| path.clone()).filter(|path| !path.is_empty())
    }

    /// The text of a file. A missing one is a problem only if it is required; a `.env` that is a directory
    /// (some name a Python environment so) counts as missing.
    fn take_file(&mut self, path: &str, required: bool) -> Option<String> {
        if !required && !Path::new(path).is_file() {
            return None;
        }
        let reason = match (self.read_file)(Path::new(path)) {
            Ok(bytes) => match String::from_utf8(bytes) {
                Ok(text) => return Some(text.trim_start_matches('\u{feff}').to_owned()),
                Err(_) => "it is not UTF-8".to_owned(),
            },
            Err(error) => error.to_string(),
        };
        let sentence =
            format!("{path} cannot be read ({reason}): mend the file, or name another with --config.");
        self.problems.push(Problem::new(path, sentence));
        None
    }
}

fn read_capped(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LONGEST_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST_FILE {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is longer than 1 MiB"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use std::os::unix::ffi::OsStringExt;

    #[test]
    fn the_settings_file_is_named_by_flag_then_environment_then_dotenv() {
        let pair = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
        let mut sources = Sources { dotenv: pair("PORTCULLIS_CONFIG", "c"), ..Sources::default() };
        assert_eq!(sources.named_file().as_deref(), Some("c"));
        sources.environment = pair("PORTCULLIS_CONFIG", "b");
        assert_eq!(sources.named_file().as_deref(), Some("b"));
        sources.flags = pair("config", "a");
        assert_eq!(sources.named_file().as_deref(), Some("a"));
    }

    #[test]
    fn a_named_settings_file_must_exist() {
        let mut sources = Sources::default();
        assert_eq!(sources.take_file("/nowhere/portcullis.toml", false), None);
        assert!(sources.problems.is_empty());
        assert_eq!(sources.take_file("/nowhere/portcullis.toml", true), None);
        assert!(sources.problems[0].sentence.contains("/nowhere/portcullis.toml"));
    }

    #[test]
    fn the_process_names_a_settings_file_by_flag() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("p.toml").display().to_string();
        std::fs::write(&path, "\u{feff}[site]\nname = \"x\"\n").unwrap();
        let sources = Sources::from_process(vec![("config".to_owned(), path.clone())]);
        assert_eq!(sources.toml, Some((path, "[site]\nname = \"x\"\n".to_owned())));
        assert!(sources.environment.iter().any(|(name, _)| name == "PATH"));
    }

    #[test]
    fn only_our_own_variables_must_be_text() {
        let mut sources = Sources::default();
        let broken = || OsString::from_vec(vec![0xff]);
        let variables = [("PORTCULLIS_SITE__NAME".into(), broken()), ("OTHER".into(), broken())];
        sources.take_environment(variables.into_iter());
        assert_eq!(sources.problems.len(), 1);
        assert_eq!(sources.problems[0].key, "PORTCULLIS_SITE__NAME");
    }

    #[test]
    fn a_file_without_an_end_is_not_read_forever() {
        assert!(read_capped(Path::new("/dev/zero")).is_err());
    }
}

//! Where settings come from, and which source wins.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::{CONFIG_FILE, CONFIG_VARIABLE, ConfigError, DATA, Flags, LISTEN, Origin, Place, SETTINGS, Setting};
use crate::users::BadInput;

/// The variables of this program. One that is set to nothing counts as not set: so do files that set them all.
#[derive(Debug, Clone, Default)]
pub struct Variables(Vec<(&'static str, String)>);

impl Variables {
    /// Takes those that start with `IDP_` out of the environment, as `std::env::vars_os` lists it.
    ///
    /// # Errors
    /// [`ConfigError::UnknownVariable`] and [`ConfigError::NoText`].
    pub fn from_environment(all: impl IntoIterator<Item = (OsString, OsString)>) -> Result<Self, ConfigError> {
        let known = || SETTINGS.iter().map(|s| s.variable).chain([CONFIG_VARIABLE]);
        let mut ours = Vec::new();
        for (name, value) in all {
            let Some(name) = name.to_str().filter(|n| n.starts_with("IDP_")) else { continue };
            let Some(variable) = known().find(|k| *k == name) else {
                return Err(ConfigError::UnknownVariable { name: name.to_owned(), nearest: nearest(name, known()) });
            };
            let value = value.into_string().map_err(|_| ConfigError::NoText(name.to_owned()))?;
            if !value.is_empty() {
                ours.push((variable, value));
            }
        }
        Ok(Self(ours))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| *n == name).map(|(_, value)| value.as_str())
    }
}

/// Which of `names` is spelt most like `typed`.
fn nearest(typed: &str, names: impl Iterator<Item = &'static str>) -> &'static str {
    let typed = typed.to_lowercase();
    names.min_by_key(|name| strsim::damerau_levenshtein(&typed, &name.to_lowercase())).unwrap_or(LISTEN.key)
}

/// The configuration file to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFile {
    /// Its path.
    pub path: PathBuf,
    /// Whether someone named it. If so, its absence is an error; the one in the data folder may be missing.
    pub named: bool,
}

impl ConfigFile {
    /// Where the file is: `--config`, then `IDP_CONFIG`, then `idp.toml` in the data folder.
    pub fn locate(place: &Place, variables: &Variables) -> Self {
        let named = place.config.clone().or_else(|| variables.get(CONFIG_VARIABLE).map(PathBuf::from));
        match named {
            Some(path) => Self { path, named: true },
            None => Self { path: data_before_file(place, variables).join(CONFIG_FILE), named: false },
        }
    }

    /// The file that has to be asked where the data is: one that somebody named, where no flag or variable says it.
    pub fn telling_data(place: &Place, variables: &Variables) -> Option<Self> {
        let file = Self::locate(place, variables);
        (file.named && !is_data_said(place, variables)).then_some(file)
    }
}

fn is_data_said(place: &Place, variables: &Variables) -> bool {
    place.data.is_some() || variables.get(DATA.variable).is_some()
}

fn data_before_file(place: &Place, variables: &Variables) -> PathBuf {
    let set = place.data.clone().or_else(|| variables.get(DATA.variable).map(PathBuf::from));
    set.unwrap_or_else(|| PathBuf::from(DATA.default))
}

/// Everything that settings can come from.
#[derive(Debug)]
pub struct Sources<'a> {
    flags: &'a Flags,
    variables: &'a Variables,
    file: Option<(&'a ConfigFile, toml::Table)>,
}

impl<'a> Sources<'a> {
    /// The flags, the variables, and the file with its text where there is one.
    ///
    /// # Errors
    /// [`ConfigError::NoToml`].
    pub fn new(
        flags: &'a Flags,
        variables: &'a Variables,
        file: Option<(&'a ConfigFile, &str)>,
    ) -> Result<Self, ConfigError> {
        let read = |(file, text): (&'a ConfigFile, &str)| match text.parse::<toml::Table>() {
            Ok(table) => Ok((file, table)),
            Err(e) => Err(ConfigError::NoToml(file.path.clone(), Box::new(e))),
        };
        Ok(Self { flags, variables, file: file.map(read).transpose()? })
    }

    pub(super) fn refuse_unknown_keys(&self) -> Result<(), ConfigError> {
        let Some((file, table)) = &self.file else { return Ok(()) };
        let known = || SETTINGS.iter().map(|s| s.key);
        match table.keys().find(|key| !known().any(|k| k == key.as_str())) {
            None => Ok(()),
            Some(key) => Err(ConfigError::UnknownKey {
                path: file.path.clone(),
                key: key.clone(),
                nearest: nearest(key, known()),
            }),
        }
    }

    /// The value of a setting from the first source that has one. `None` where the default holds.
    pub(super) fn read<T>(
        &self,
        setting: &Setting,
        parse: impl Fn(&str) -> Result<T, BadInput>,
    ) -> Result<Option<T>, ConfigError> {
        let Some((value, origin)) = self.find(setting)? else { return Ok(None) };
        match parse(&value) {
            Ok(parsed) => Ok(Some(parsed)),
            Err(instead) => Err(ConfigError::BadValue { origin, value, instead }),
        }
    }

    fn find(&self, setting: &Setting) -> Result<Option<(String, Origin)>, ConfigError> {
        if let Some(text) = self.flags.get(setting.key) {
            return Ok(Some((text.to_owned(), Origin::Flag(setting.key))));
        }
        if let Some(text) = self.variables.get(setting.variable) {
            return Ok(Some((text.to_owned(), Origin::Variable(setting.variable))));
        }
        let Some((file, table)) = &self.file else { return Ok(None) };
        let Some(value) = table.get(setting.key) else { return Ok(None) };
        let origin = Origin::File(file.path.clone(), setting.key);
        match as_text(value) {
            Some(text) => Ok(Some((text, origin))),
            None => {
                let instead = BadInput("write a text in quotes, a number, or a list of texts");
                Err(ConfigError::BadValue { origin, value: value.to_string(), instead })
            }
        }
    }

    /// The data folder. A relative path in a file counts from where the file is.
    ///
    /// # Errors
    /// [`ConfigError::DataElsewhere`] and [`ConfigError::BadValue`].
    pub fn data_folder(&self) -> Result<PathBuf, ConfigError> {
        let from_file = self.file.as_ref().filter(|(_, table)| table.contains_key(DATA.key));
        if let Some((file, _)) = from_file.filter(|(file, _)| !file.named) {
            return Err(ConfigError::DataElsewhere(file.path.clone()));
        }
        match from_file.filter(|_| !is_data_said(&self.flags.place, self.variables)) {
            None => Ok(data_before_file(&self.flags.place, self.variables)),
            Some((file, _)) => {
                let set = self.read(&DATA, |text| match text {
                    "" => Err(BadInput("write the path of a folder")),
                    path => Ok(PathBuf::from(path)),
                })?;
                let folder = file.path.parent().unwrap_or(Path::new(""));
                Ok(folder.join(set.unwrap_or_else(|| PathBuf::from(DATA.default))))
            }
        }
    }
}

/// A value of the file as a flag would have it. `None` for what no setting is.
fn as_text(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Array(list) => Some(list.iter().map(toml::Value::as_str).collect::<Option<Vec<_>>>()?.join(",")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::*;
    use crate::config::{Config, LOG_LEVEL, ORGANISATION};

    const CORES: NonZeroUsize = NonZeroUsize::new(4).unwrap();

    fn environment(set: &[(&str, &str)]) -> Result<Variables, ConfigError> {
        Variables::from_environment(set.iter().map(|(n, v)| (n.into(), v.into())))
    }

    fn merged(flags: &Flags, set: &[(&str, &str)], text: Option<&str>) -> Result<Config, ConfigError> {
        let variables = environment(set)?;
        let file = ConfigFile::locate(&flags.place, &variables);
        Config::merge(&Sources::new(flags, &variables, text.map(|t| (&file, t)))?, CORES)
    }

    fn from_file(text: &str) -> Result<Config, ConfigError> {
        merged(&Flags::default(), &[], Some(text))
    }

    fn said(result: Result<Config, ConfigError>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn without_any_source_the_defaults_hold() {
        let config = merged(&Flags::default(), &[("HOME", "/root"), ("IDP_LISTEN", "")], None).unwrap();
        assert_eq!(config.data, Path::new("./idp-data"));
        assert_eq!(config.listen.to_string(), LISTEN.default);
        assert_eq!(config.public_url_at(config.listen).as_str(), "http://localhost:8080");
        assert_eq!(config.public_url_at("127.0.0.1:4711".parse().unwrap()).as_str(), "http://localhost:4711");
        assert_eq!((config.organisation.as_str(), config.help_contact), ("idp", None));
        assert_eq!((config.trusted_proxy, config.hash_workers), (vec![], CORES));
        assert_eq!((config.mail, config.syslog, config.webhook), (None, None, None));
        assert_eq!(config.log_level.as_str().to_lowercase(), LOG_LEVEL.default);
    }

    #[test]
    fn flags_win_over_variables_those_over_the_file_and_that_over_defaults() {
        let flag = Flags { organisation: Some("flag".into()), ..Flags::default() };
        let (variable, file) = (("IDP_ORGANISATION", "variable"), "organisation = \"file\"");
        let name = |flags: &Flags, set: &[_], text| merged(flags, set, text).unwrap().organisation;
        assert_eq!(name(&flag, &[variable], Some(file)), "flag");
        assert_eq!(name(&Flags::default(), &[variable], Some(file)), "variable");
        assert_eq!(name(&Flags::default(), &[], Some(file)), "file");
        assert_eq!(name(&Flags::default(), &[], None), ORGANISATION.default);
    }

    #[test]
    fn every_setting_can_be_set_in_the_file() {
        let config = from_file(
            "listen = \"[::]:8443\"\npublic_url = \"https://id.fernhill.example/\"\n\
             trusted_proxy = [\"127.0.0.1\", \"10.0.0.0/8\"]\norganisation = \"Fernhill\"\n\
             help_contact = \"the office, extension 12\"\nhash_workers = 2\nlog_level = \"debug\"\n\
             smtp_server = \"mail.fernhill.example\"\nsmtp_security = \"tls\"\nsmtp_user = \"idp\"\n\
             smtp_password_file = \"mail.password\"\nsmtp_ca_file = \"ca.pem\"\nmail_from = \"idp@fernhill.example\"\n\
             syslog = \"tls://logs.fernhill.example\"\nsyslog_send = \"checkpoints\"\nsyslog_ca_file = \"ca.pem\"\n\
             webhook = \"https://hooks.fernhill.example/idp\"\nwebhook_secret_file = \"webhook.secret\"\n\
             webhook_ca_file = \"ca.pem\"\n",
        )
        .unwrap();
        assert_eq!(config.listen.to_string(), "[::]:8443");
        assert_eq!(config.public_url_at(config.listen).as_str(), "https://id.fernhill.example");
        assert_eq!(config.trusted_proxy.len(), 2);
        assert_eq!(config.help_contact.as_deref(), Some("the office, extension 12"));
        assert_eq!(config.hash_workers.get(), 2);
        assert_eq!(config.log_level, tracing::Level::DEBUG);
        assert_eq!(config.mail.as_ref().unwrap().server.to_string(), "mail.fernhill.example:465");
        assert_eq!(config.syslog.as_ref().unwrap().to_string(), "tls://logs.fernhill.example:6514");
        assert_eq!(config.webhook.as_ref().unwrap().to_string(), "https://hooks.fernhill.example");
        let by_variables = merged(
            &Flags::default(),
            &[
                ("IDP_LISTEN", "[::]:8443"),
                ("IDP_PUBLIC_URL", "https://id.fernhill.example"),
                ("IDP_TRUSTED_PROXY", "127.0.0.1, 10.0.0.0/8"),
                ("IDP_ORGANISATION", "Fernhill"),
                ("IDP_HELP_CONTACT", "the office, extension 12"),
                ("IDP_HASH_WORKERS", "2"),
                ("IDP_LOG_LEVEL", "DEBUG"),
                ("IDP_SMTP_SERVER", "mail.fernhill.example:465"),
                ("IDP_SMTP_SECURITY", "tls"),
                ("IDP_SMTP_USER", "idp"),
                ("IDP_SMTP_PASSWORD_FILE", "mail.password"),
                ("IDP_SMTP_CA_FILE", "ca.pem"),
                ("IDP_MAIL_FROM", "IDP@fernhill.example"),
                ("IDP_SYSLOG", "tls://logs.fernhill.example:6514"),
                ("IDP_SYSLOG_SEND", "checkpoints"),
                ("IDP_SYSLOG_CA_FILE", "ca.pem"),
                ("IDP_WEBHOOK", "https://HOOKS.fernhill.example:443/idp"),
                ("IDP_WEBHOOK_SECRET_FILE", "webhook.secret"),
                ("IDP_WEBHOOK_CA_FILE", "ca.pem"),
            ],
            None,
        );
        assert_eq!(by_variables.unwrap(), config);
    }

    #[test]
    fn a_misspelt_key_is_named_with_the_nearest_right_one() {
        let at = "./idp-data/idp.toml: there is no setting";
        assert_eq!(
            said(from_file("organization = \"x\"")),
            format!("{at} “organization”; did you mean “organisation”?")
        );
        assert_eq!(said(from_file("public-url = \"x\"")), format!("{at} “public-url”; did you mean “public_url”?"));
        assert_eq!(said(from_file("[Listen]")), format!("{at} “Listen”; did you mean “listen”?"));
    }

    #[test]
    fn a_misspelt_variable_is_named_with_the_nearest_right_one() {
        let said = |name| said(merged(&Flags::default(), &[(name, "x")], None));
        assert_eq!(said("IDP_PUBLICURL"), "there is no variable IDP_PUBLICURL; did you mean IDP_PUBLIC_URL?");
        assert_eq!(said("IDP_CONFG"), "there is no variable IDP_CONFG; did you mean IDP_CONFIG?");
        assert!(environment(&[("IDPX", "x"), ("idp_data", "x"), ("MY_IDP_DATA", "x")]).is_ok());
    }

    #[test]
    fn a_bad_value_is_told_with_where_it_was_set_and_what_to_write() {
        let flags = Flags { public_url: Some("http://id.example.org".into()), ..Flags::default() };
        let text = said(merged(&flags, &[], None));
        assert!(text.starts_with("--public-url: “http://id.example.org”: use https"), "{text}");
        let text = said(merged(&Flags::default(), &[("IDP_LISTEN", "8080\n")], None));
        assert_eq!(text, "IDP_LISTEN: “8080”: write an address and a port, like 127.0.0.1:8080 or [::]:8443");
        let text = said(from_file("hash_workers = 0"));
        assert_eq!(text, "hash_workers in ./idp-data/idp.toml: “0”: write a number from 1 to 64");
        for bad in [
            "hash_workers = 65",
            "hash_workers = true",
            "log_level = \"loud\"",
            "trusted_proxy = [1]",
            "trusted_proxy = \"proxy.example\"",
            "organisation = \"\"",
            "organisation = \"a\\nb\"",
            "help_contact = \"\\u202e\"",
            "listen = \"127.0.0.1\"",
        ] {
            assert!(matches!(from_file(bad), Err(ConfigError::BadValue { .. })), "{bad}");
        }
        assert!(matches!(from_file("listen = "), Err(ConfigError::NoToml(..))));
        assert_eq!(from_file("listen = \"localhost:81\"").unwrap().listen.to_string(), "127.0.0.1:81");
    }

    #[test]
    fn who_listens_for_the_world_has_to_say_under_which_name() {
        let flags = Flags { listen: Some("0.0.0.0:8080".into()), ..Flags::default() };
        assert!(said(merged(&flags, &[], None)).starts_with("set IDP_PUBLIC_URL (--public-url, or public_url in"));
        assert!(merged(&flags, &[("IDP_PUBLIC_URL", "https://id.example.org")], None).is_ok());
    }

    #[test]
    fn the_file_is_the_one_named_or_the_one_in_the_data_folder() {
        let locate = |config: Option<&str>, data: Option<&str>, set: &[(&str, &str)]| {
            let place = Place { data: data.map(PathBuf::from), config: config.map(PathBuf::from) };
            let file = ConfigFile::locate(&place, &environment(set).unwrap());
            (file.path.to_str().unwrap().to_owned(), file.named)
        };
        let variables = [("IDP_CONFIG", "/etc/v.toml"), ("IDP_DATA", "/srv/v")];
        assert_eq!(locate(Some("/etc/f.toml"), None, &variables), ("/etc/f.toml".into(), true));
        assert_eq!(locate(None, Some("/srv/f"), &variables), ("/etc/v.toml".into(), true));
        assert_eq!(locate(None, Some("/srv/f"), &variables[1..]), ("/srv/f/idp.toml".into(), false));
        assert_eq!(locate(None, None, &variables[1..]), ("/srv/v/idp.toml".into(), false));
        assert_eq!(locate(None, None, &[]), ("./idp-data/idp.toml".into(), false));
    }

    #[test]
    fn a_named_file_may_place_the_data_and_the_data_folders_own_may_not() {
        let text = Some("data = \"data\"");
        let data = |set: &[_]| merged(&Flags::default(), set, text).map(|c| c.data);
        let named = ("IDP_CONFIG", "/etc/idp/main.toml");
        assert_eq!(data(&[named]).unwrap(), Path::new("/etc/idp/data"));
        assert_eq!(data(&[named, ("IDP_DATA", "/srv/v")]).unwrap(), Path::new("/srv/v"));
        assert!(matches!(data(&[]), Err(ConfigError::DataElsewhere(_))));
    }

    #[test]
    fn the_help_of_a_flag_is_the_sentence_of_its_setting() {
        let command = <Flags as clap::Args>::augment_args(clap::Command::new("serve"));
        for setting in &SETTINGS {
            let flag = command.get_arguments().find(|a| a.get_id() == setting.key).unwrap();
            assert_eq!(flag.get_long().map(|l| l.replace('-', "_")).as_deref(), Some(setting.key));
            let help = flag.get_help().unwrap().to_string();
            assert!(help.starts_with(setting.sentence) && help.contains(setting.variable), "{help}");
            assert_eq!(setting.variable, format!("IDP_{}", setting.key.to_uppercase()));
            let flags = [String::from("serve"), format!("--{}", setting.key.replace('_', "-")), String::from("7")];
            let matches = command.clone().try_get_matches_from(flags).unwrap();
            let flags = <Flags as clap::FromArgMatches>::from_arg_matches(&matches).unwrap();
            let taken = flags.place.data.as_deref().and_then(Path::to_str).or(flags.get(setting.key));
            assert_eq!(taken, Some("7"), "{}", setting.key);
        }
    }
}

//! `postgres://…`: one database for any number of processes.

use std::path::PathBuf;
use std::sync::Arc;

use adcp_core::Secret;
use adcp_registry_postgres::{OpenError, PostgresConfig, PostgresRegistry, Schema};

use super::watch::Watch;
use super::{Keys, Opened, postgres_findings};
use crate::args::RegistryArgs;
use crate::doctor::Findings;
use crate::exit::{Exit, Failure};
use crate::files;

/// A database, and how it is used.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    /// With whatever password is in it.
    url: Secret,
    /// What may be shown of it.
    shown: String,
    password: bool,
    root_certificates: Option<PathBuf>,
    schema: Option<String>,
    connections: Option<u16>,
}

impl Address {
    /// Reads an address as libpq does. Its `sslrootcert` and the stricter values of `sslmode` are taken out: the
    /// registry below always wants a certificate that leads to a trusted root and names the host.
    pub(super) fn parse(text: &str, args: &RegistryArgs) -> Result<Self, Failure> {
        let (base, query) = text.split_once('?').unwrap_or((text, ""));
        let mut root_certificates = None;
        let mut kept = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sslrootcert", "system")) => {}
                Some(("sslrootcert", file)) => root_certificates = Some(PathBuf::from(file)),
                Some(("sslmode", "verify-full" | "verify-ca")) => kept.push("sslmode=require"),
                Some(("sslmode", "allow")) => {
                    return Err(Failure::usage(
                        "sslmode=allow is not known here; write disable, prefer, require or verify-full",
                    ));
                }
                _ => kept.push(pair),
            }
        }
        let url = if kept.is_empty() { base.to_owned() } else { format!("{base}?{}", kept.join("&")) };
        Ok(Self {
            url: Secret::new(url),
            shown: shown(text),
            password: holds_password(text),
            root_certificates,
            schema: args.registry_schema.clone(),
            connections: args.registry_connections,
        })
    }

    /// Whether it holds what nobody else may see.
    pub(super) const fn has_password(&self) -> bool {
        self.password
    }

    fn config(&self, keys: Option<&Keys>) -> Result<PostgresConfig, Failure> {
        let mut config = PostgresConfig::new(self.url.expose());
        if let Some(schema) = &self.schema {
            config = config.with_schema(schema);
        }
        if let Some(connections) = self.connections {
            config = config.with_pool_size(usize::from(connections));
        }
        if let Some(file) = &self.root_certificates {
            let pem = files::read(file, files::LARGE).map_err(|error| {
                let words = format!("cannot read the certificates of sslrootcert, `{}`", file.display());
                Failure::usage(words).because(error)
            })?;
            config = config.with_root_certificates(pem);
        }
        Ok(match keys {
            Some(keys) => config.with_sealer(Arc::clone(&keys.sealer)),
            None => config,
        })
    }
}

/// Scheme, host and database. Anything that is not plainly those is left out: a password may be written wrongly.
fn shown(text: &str) -> String {
    let unknown = || "postgres://…".to_owned();
    let Some((_, rest)) = text.split_once("://") else { return unknown() };
    let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    let place = place.split_once('?').map_or(place, |(place, _)| place);
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._:,/[]%".contains(c);
    let hosts = place.split('/').next().unwrap_or_default();
    // What stands behind a colon is a port, or a password whose host was forgotten.
    let ports = hosts.split(',').filter_map(|host| host.rsplit_once(':')).map(|(_, port)| port);
    let clear = text.matches('@').count() < 2
        && place.chars().all(plain)
        && ports.filter(|port| !port.ends_with(']')).all(|port| port.bytes().all(|b| b.is_ascii_digit()));
    if clear && !place.is_empty() { format!("postgres://{place}") } else { unknown() }
}

fn holds_password(text: &str) -> bool {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    text.contains("password=") || rest.split_once('@').is_some_and(|(user, _)| user.contains(':'))
}

/// Connects, for an agent and for the people who run it.
pub(super) async fn open(address: &Address, keys: Option<Keys>) -> Result<Opened, Failure> {
    let refuses_credentials = keys.is_none();
    let config = address.config(keys.as_ref())?;
    let registry = PostgresRegistry::connect(config).await.map_err(|error| unopened(address, error))?;
    Ok(Opened {
        companions: vec![Arc::new(Watch::new())],
        registry: Arc::new(registry),
        what: format!("{} (accepted tasks survive a restart, replicas share them)", address.shown),
        refuses_credentials,
    })
}

/// Brings the schema to this version; says what was done.
pub(super) async fn migrate(address: &Address) -> Result<String, Failure> {
    let config = address.config(None)?;
    let before = schema(&config).await;
    PostgresRegistry::migrate(&config).await.map_err(|error| unopened(address, error))?;
    let name = &address.shown;
    Ok(match before {
        None => format!("{name} has the schema of this version already"),
        Some(0) => format!("{name} was set up with the schema of this version"),
        Some(found) => format!("{name} was brought from schema {found} to that of this version"),
    })
}

/// The number of an older schema; what else there may be is told by whoever goes on.
async fn schema(config: &PostgresConfig) -> Option<u32> {
    match PostgresRegistry::connect(config.clone()).await {
        Err(OpenError::Outdated { found, .. }) => Some(found),
        _ => None,
    }
}

/// The statements that make the schema.
pub(super) fn plan(address: &Address) -> Result<String, Failure> {
    PostgresRegistry::plan(&address.config(None)?).map_err(|error| unopened(address, error))
}

/// Looks for what is wrong.
pub(super) async fn examine(
    address: &Address,
    keys: Option<Keys>,
    findings: &mut Findings,
) -> Result<(), Failure> {
    match PostgresRegistry::examine(&address.config(keys.as_ref())?).await {
        Ok(found) => {
            findings.good(&format!("{} answers: PostgreSQL {}", address.shown, found.server.version));
            match found.schema {
                Schema::Current(number) => {
                    findings.good(&format!("its schema is one that this version serves on ({number})"));
                }
                Schema::Empty => findings.bad(
                    &format!("{} has no registry yet", address.shown),
                    "run `adcp migrate` with the same --registry",
                ),
                Schema::Outdated { found, needed } => {
                    unserved(address, &OpenError::Outdated { found, needed }, findings);
                }
                Schema::Unknown(number) => unserved(address, &OpenError::Unknown(number), findings),
            }
            postgres_findings::judge(&found, keys.map(|keys| keys.origin).as_deref(), findings);
        }
        Err(error) => {
            let (_, what, advice) = explain(address, &error);
            findings.bad(&format!("{what} ({:#})", anyhow::Error::new(error)), &advice);
        }
    }
    Ok(())
}

fn unserved(address: &Address, error: &OpenError, findings: &mut Findings) {
    let (_, what, advice) = explain(address, error);
    findings.bad(&format!("{what} ({error})"), &advice);
}

/// How to end, what is wrong, and what to do.
fn explain(address: &Address, error: &OpenError) -> (Exit, String, String) {
    let name = &address.shown;
    let (exit, what, advice) = match error {
        OpenError::BadUrl(_) => (
            Exit::Usage,
            "the address of the database is not readable".to_owned(),
            "write postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=require, with the special characters of a \
             password as %40 and the like",
        ),
        OpenError::BadSchema(_) => {
            (Exit::Usage, "the schema cannot have this name".to_owned(), "give another --registry-schema")
        }
        OpenError::BadCertificates(_) => {
            (Exit::Usage, "the certificates of sslrootcert are not readable".to_owned(), "name a file in PEM")
        }
        OpenError::Refused(_) => (
            Exit::Broken,
            format!("{name} lets this role not in"),
            "look at the user, the password, the database and what the role may do there",
        ),
        OpenError::Outdated { found: 0, .. } => (
            Exit::Broken,
            format!("{name} has no registry yet"),
            "run `adcp migrate` with the same --registry",
        ),
        OpenError::Outdated { .. } => (
            Exit::Broken,
            format!("{name} has the schema of an older version"),
            "run `adcp migrate` with the same --registry; replicas of the older version may go on meanwhile",
        ),
        OpenError::Unknown(_) => (
            Exit::Broken,
            format!("{name} was migrated by a newer version, or changed by other hands"),
            "use that version of adcp, or restore a backup from before",
        ),
        _ => (
            Exit::Transient,
            format!("{name} cannot be asked"),
            "see that the server runs, that this machine reaches it, and that sslmode and its certificate fit",
        ),
    };
    (exit, what, advice.to_owned())
}

fn unopened(address: &Address, error: OpenError) -> Failure {
    let (exit, what, advice) = explain(address, &error);
    Failure::new(exit, format!("{what}; {advice}")).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Address {
        Address::parse(text, &RegistryArgs::default()).unwrap()
    }

    #[test]
    fn what_is_shown_of_an_address_has_no_user_and_no_password() {
        for (text, shown, password) in [
            ("postgres://me:hunter2@db.example:5432/adcp", "postgres://db.example:5432/adcp", true),
            ("postgresql://db.example/adcp?sslmode=require", "postgres://db.example/adcp", false),
            ("postgres://me@db.example/adcp", "postgres://db.example/adcp", false),
            ("postgres://db.example/adcp?user=me&password=hunter2", "postgres://db.example/adcp", true),
            ("postgres://me:hunter2@more@db.example/adcp", "postgres://…", true),
            ("postgres://me:hun/ter2@db.example/adcp", "postgres://db.example/adcp", true),
            ("postgres://me:hunter2", "postgres://…", false),
            ("postgres://[::1]:5432/adcp", "postgres://[::1]:5432/adcp", false),
        ] {
            let address = parse(text);
            assert_eq!((address.shown.as_str(), address.has_password()), (shown, password), "{text}");
            if password {
                assert!(!format!("{address:?}").contains("hunter2"), "{address:?}");
            }
        }
    }

    #[test]
    fn the_parameters_of_libpq_for_tls_are_understood() {
        let address =
            parse("postgres://db/adcp?sslmode=verify-full&sslrootcert=/etc/ca.pem&connect_timeout=3");
        assert_eq!(address.url.expose(), "postgres://db/adcp?sslmode=require&connect_timeout=3");
        assert_eq!(address.root_certificates, Some(PathBuf::from("/etc/ca.pem")));
        assert_eq!(
            parse("postgres://db/adcp?sslmode=disable").url.expose(),
            "postgres://db/adcp?sslmode=disable"
        );
        assert!(Address::parse("postgres://db/adcp?sslmode=allow", &RegistryArgs::default()).is_err());
    }
}

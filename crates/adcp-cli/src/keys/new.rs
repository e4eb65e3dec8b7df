//! `adcp keys new`: a private key in a file of its own.

use std::io::{ErrorKind, Write as _};

use adcp_core::{Clock as _, SystemClock, hex, random_bytes};
use adcp_signing::{BadKey, KeyUse, LocalSigner, Secret, Signer as _};

use crate::args::{NewKeyArgs, Purpose};
use crate::exit::{Exit, Failure};
use crate::output::{Terminal, say};

/// Runs the command.
pub(super) fn run(args: &NewKeyArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let kid = match &args.kid {
        Some(kid) => kid.clone(),
        None => name(args.purpose)?,
    };
    let purpose = KeyUse::from(args.purpose);
    let key = LocalSigner::generate(args.alg.into(), purpose, kid).map_err(|error| match error {
        BadKey::KeyId => Failure::usage(
            "the name of a key is 1 to 256 characters of printable ASCII; choose another --kid",
        ),
        error => Failure::new(Exit::Broken, "cannot make a key").because(error),
    })?;
    write(args, &key.to_jwk_file())?;
    let file = args.file.display();
    terminal.line(key.key().keyid())?;
    say(&format!("made `{file}`, a private key for {purpose}; keep it apart from what others read"));
    say(match args.purpose {
        Purpose::WebhookSigning => "next:",
        Purpose::RequestSigning => "next, where your agent is found:",
    });
    if args.purpose == Purpose::WebhookSigning {
        say(&format!(
            "  adcp serve --signing-key {file} --public-url https://…/mcp …   signs, and publishes the key"
        ));
    }
    say(&format!(
        "  adcp keys publish {file}                                       prints what others may see"
    ));
    say(&format!(
        "  adcp keys check https://…/mcp --key {file}                     whether verifiers find it"
    ));
    Ok(Exit::Done)
}

/// A name that tells its purpose and its age, and that no other key has.
fn name(purpose: Purpose) -> Result<String, Failure> {
    let id = random_bytes::<4>()
        .map_err(|error| Failure::new(Exit::Broken, "cannot make a name for the key").because(error))?;
    let now = SystemClock::new().now().to_string();
    let month = now.get(..7).unwrap_or_default();
    let what = match purpose {
        Purpose::WebhookSigning => "hooks",
        Purpose::RequestSigning => "requests",
    };
    Ok(format!("{what}-{month}-{}", hex(&id)))
}

/// Nothing of the key is ever in a file that others could open, and no file is written twice.
fn write(args: &NewKeyArgs, text: &Secret) -> Result<(), Failure> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let name = args.file.display();
    let mut file = options.open(&args.file).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => Failure::usage(format!(
            "`{name}` is there already, and a key is never overwritten; name another file"
        )),
        _ => Failure::usage(format!("cannot make the file `{name}`")).because(error),
    })?;
    file.write_all(text.expose()).and_then(|()| file.sync_all()).map_err(|error| {
        // Half a key is of no use to anybody.
        let _ = std::fs::remove_file(&args.file);
        Failure::new(Exit::Broken, format!("cannot write the key to `{name}`")).because(error)
    })
}

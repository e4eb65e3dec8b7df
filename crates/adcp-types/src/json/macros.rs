//! What every generated type gets from a macro instead of a derive.

/// `Debug`, equality and serde traits through JSON, for each type named: printing shows the fields that are there, and
/// values are equal when they are the same on the wire. A derive for each costs a quarter of the crate's build time.
macro_rules! bridge {
    ($($name:ident),* $(,)?) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                $crate::json::debug(stringify!($name), &$crate::json::ToJson::to_json(self), f)
            }
        }
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                $crate::json::ToJson::to_json(self) == $crate::json::ToJson::to_json(other)
            }
        }
        $crate::json::serde_bridge! { $name }
    )*};
}
pub(crate) use bridge;

/// serde traits through [`FromJson`] and [`ToJson`], for each type named.
macro_rules! serde_bridge {
    ($($name:ident),* $(,)?) => {$(
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = <serde_json::Value as serde::Deserialize>::deserialize(deserializer)?;
                <Self as $crate::json::FromJson>::from_json(value).map_err(serde::de::Error::custom)
            }
        }
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serde::Serialize::serialize(&$crate::json::ToJson::to_json(self), serializer)
            }
        }
    )*};
}
pub(crate) use serde_bridge;

/// An open vocabulary of strings: constants for the known values, one arm for all others.
macro_rules! string_enum {
    ($(#[$meta:meta])* $name:ident, $other:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$vmeta])* $variant,)*
            /// Any other string, kept as it came.
            $other(String),
        }

        impl $name {
            /// The known values, as they stand on the wire.
            pub const VALUES: &'static [&'static str] = &[$($text),*];

            /// The value as it stands on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::$other(text) => text,
                }
            }

            fn known(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }

        $crate::json::string_enum_impls!($name, $other);
    };
}
pub(crate) use string_enum;

/// The traits every open vocabulary has.
macro_rules! string_enum_impls {
    ($name:ident, $other:ident) => {
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.as_str() == other.as_str()
            }
        }
        impl Eq for $name {}
        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }
        impl Ord for $name {
            fn cmp(&self, other: &Self) -> std::cmp::Ordering {
                self.as_str().cmp(other.as_str())
            }
        }
        impl std::hash::Hash for $name {
            fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
                self.as_str().hash(state);
            }
        }
        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::known(text).unwrap_or_else(|| Self::$other(text.to_owned()))
            }
        }
        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self::known(&text).unwrap_or(Self::$other(text))
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
        impl $crate::json::FromJson for $name {
            fn from_json(value: serde_json::Value) -> Result<Self, $crate::json::DecodeError> {
                <String as $crate::json::FromJson>::from_json(value).map(Self::from)
            }
        }
        impl $crate::json::ToJson for $name {
            fn to_json(&self) -> serde_json::Value {
                serde_json::Value::String(self.as_str().to_owned())
            }
        }
        $crate::json::serde_bridge! { $name }
    };
}
pub(crate) use string_enum_impls;

/// `with_*` setters for the optional fields of a struct: strings, other values, values held in a box.
macro_rules! setters {
    (
        $name:ident
        $(text { $($tset:ident $tfield:ident),* $(,)? })?
        $(plain { $($pset:ident $pfield:ident: $pty:ty),* $(,)? })?
        $(boxed { $($bset:ident $bfield:ident: $bty:ty),* $(,)? })?
    ) => {
        impl $name {
            $($(
                #[doc = concat!("Sets `", stringify!($tfield), "`.")]
                #[must_use]
                pub fn $tset(mut self, $tfield: impl Into<String>) -> Self {
                    self.$tfield = Some($tfield.into());
                    self
                }
            )*)?
            $($(
                #[doc = concat!("Sets `", stringify!($pfield), "`.")]
                #[must_use]
                pub fn $pset(mut self, $pfield: $pty) -> Self {
                    self.$pfield = Some($pfield);
                    self
                }
            )*)?
            $($(
                #[doc = concat!("Sets `", stringify!($bfield), "`.")]
                #[must_use]
                pub fn $bset(mut self, $bfield: $bty) -> Self {
                    self.$bfield = Some(Box::new($bfield));
                    self
                }
            )*)?
        }
    };
}
pub(crate) use setters;

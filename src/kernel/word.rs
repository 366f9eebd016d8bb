//! Closed vocabularies whose words travel as `snake_case` text.

use thiserror::Error;

/// The text is none of the words that this vocabulary knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("unknown {vocabulary}")]
pub struct UnknownWord {
    /// The name of the vocabulary, for example `motion`.
    pub vocabulary: &'static str,
}

/// Defines an enum of words with `ALL`, `as_str`, `Display`, `FromStr` and serde as text.
///
/// The words are written once, so that the wire, the database and the log cannot drift apart.
macro_rules! word_enum {
    (
        $(#[$meta:meta])*
        $name:ident, $vocabulary:literal {
            $($(#[$word_meta:meta])* $variant:ident = $word:literal,)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$word_meta])* $variant,)+
        }

        impl $name {
            /// Every word, in the order of declaration.
            #[allow(dead_code, reason = "not every vocabulary is listed somewhere")]
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word as it is written on the wire and in the database.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::kernel::word::UnknownWord;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err($crate::kernel::word::UnknownWord { vocabulary: $vocabulary }),
                }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::kernel::word::deserialize_text(deserializer, $vocabulary)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                $crate::kernel::word::schema(&[$($word),+])
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}
pub(crate) use word_enum;

/// The schema of a vocabulary: text, and the words known today. More may come, so that a client must not break on a
/// word it does not know; requests take the known ones only.
pub(crate) fn schema(words: &[&str]) -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
    use utoipa::openapi::extensions::ExtensionsBuilder;
    use utoipa::openapi::schema::{ObjectBuilder, Type};
    ObjectBuilder::new()
        .schema_type(Type::String)
        .max_length(Some(64))
        .examples(words.first().copied())
        .extensions(Some(
            ExtensionsBuilder::new().add("x-extensible-enum", words).build(),
        ))
        .into()
}

/// Deserializes a value from its text form, without an allocation when the text can be borrowed.
pub(crate) fn deserialize_text<'de, D, T>(deserializer: D, expected: &'static str) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    deserializer.deserialize_str(TextVisitor {
        expected,
        target: std::marker::PhantomData,
    })
}

struct TextVisitor<T> {
    expected: &'static str,
    target: std::marker::PhantomData<T>,
}

impl<T> serde::de::Visitor<'_> for TextVisitor<T>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    type Value = T;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} as text", self.expected)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

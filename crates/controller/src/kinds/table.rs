//! What the table of kinds makes.

/// Makes of `KIND in FIELD, …` all that is the same for each kind: [`Kind`](super::Kind), [`Object`](super::Object), an
/// [`Stored`](super::Stored) for each, and two macros that do one thing for whichever kind it is:
///
/// - `of_kind!(kind, K => expression)`, in which `K` is the type of its objects;
/// - `of_object!(object, it => expression)`, in which `it` is the object itself.
macro_rules! kinds {
    (($d:tt) $($kind:ident in $field:ident,)*) => {
        /// The kinds that bear on the route table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) enum Kind {
            $($kind,)*
        }

        impl Kind {
            /// All of them.
            pub(crate) const ALL: &[Kind] = &[$(Kind::$kind,)*];

            /// The word in the objects' `kind` field.
            pub(crate) const fn as_str(self) -> &'static str {
                match self {
                    $(Kind::$kind => stringify!($kind),)*
                }
            }
        }

        /// An object of one of the kinds.
        #[derive(Clone, Debug)]
        pub(crate) enum Object {
            $($kind(Arc<$kind>),)*
        }

        $(impl Stored for $kind {
            const KIND: Kind = Kind::$kind;

            fn into_object(self: Arc<Self>) -> Object {
                Object::$kind(self)
            }

            fn all_in(objects: &Objects) -> &impl Collection<Self> {
                &objects.$field
            }

            fn all_in_mut(objects: &mut Objects) -> &mut impl Collection<Self> {
                &mut objects.$field
            }
        })*

        macro_rules! of_kind {
            ($d kind:expr, $d K:ident => $d do:expr) => {
                match $d kind {
                    $($crate::kinds::Kind::$kind => {
                        type $d K = $crate::kinds::$kind;
                        $d do
                    })*
                }
            };
        }

        macro_rules! of_object {
            ($d object:expr, $d it:ident => $d do:expr) => {
                match $d object {
                    $($crate::kinds::Object::$kind($d it) => $d do,)*
                }
            };
        }

        pub(crate) use {of_kind, of_object};
    };
}

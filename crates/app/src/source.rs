//! The objects that a command asks about, read once.

use compile::Settings;
use controller::Once;

use crate::cli::SourceArgs;
use crate::config;
use crate::run::on_control_runtime;

/// The objects, and what bears on the table that comes of them.
pub(crate) struct Read {
    pub(crate) objects: Once,
    pub(crate) settings: Settings,
}

impl Read {
    /// Reads the manifests or the cluster that is named.
    ///
    /// # Errors
    /// If they cannot be read; the text says why.
    pub(crate) fn new(args: &SourceArgs, settings: Settings) -> Result<Read, String> {
        if let Some(path) = &args.manifests {
            let objects = Once::of_manifests(path).map_err(|error| error.to_string())?;
            return Ok(Read { objects, settings: config::of_folder(settings) });
        }
        let (cluster, within) = (args.cluster(), args.within.0);
        let objects = on_control_runtime({
            let settings = settings.clone();
            async move { Ok(Once::of_cluster(cluster, settings, within).await?) }
        });
        Ok(Read { objects: objects.map_err(|error| format!("{error:#}"))?, settings })
    }
}

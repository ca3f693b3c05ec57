//! Which type an artifact has by its name, and whether it is sent compressed. The table is Catena's own, so that
//! the answer is the same on every machine.

/// The type of what no table knows.
const UNKNOWN: &str = "application/binary";

/// Endings whose case matters, and which are looked at first. Archives that are compressed are of the type of what
/// they hold, as they always were, and are never sent with a `Content-Encoding`: clients would unpack them and
/// compute a digest that differs from the document's.
const FIRST: [(&str, &str); 8] = [
    (".tar.gz", "application/x-tar"),
    (".tgz", "application/x-tar"),
    (".txt", "text/plain"),
    (".dmg", "application/x-apple-diskimage"),
    (".log", "text/plain"),
    (".asc", "text/plain"),
    (".diff", "text/plain"),
    (".xml", "application/xml"),
];

/// Compressed files: the extension, whose case matters for archives, and the type of any other compressed file.
const COMPRESSED: [(&str, &str); 5] = [
    ("br", UNKNOWN),
    ("bz2", "application/x-bzip2"),
    ("gz", "application/gzip"),
    ("xz", "application/x-xz"),
    ("Z", "application/x-compress"),
];

/// Short forms of `.tar.` and a compression, and of an image that is compressed.
const SHORT: [(&str, &str); 5] =
    [("svgz", "application/gzip"), ("taz", TAR), ("tbz2", TAR), ("txz", TAR), ("tz", TAR)];

const TAR: &str = "application/x-tar";

/// Types that are sent compressed.
const COMPRESSIBLE: [&str; 4] = ["text/plain", "application/json", "text/html", "application/xml"];

/// The type of an artifact of this name.
#[must_use]
pub fn content_type(name: &str) -> &'static str {
    if let Some((_, found)) = FIRST.iter().find(|(ending, _)| name.ends_with(ending)) {
        return found;
    }
    let Some((base, extension)) = extension(name) else { return UNKNOWN };
    let known = |table: &[(&str, &'static str)]| {
        let is = |(known, _): &&(&str, &'static str)| known.eq_ignore_ascii_case(extension);
        table.iter().find(is).map(|(_, content_type)| *content_type)
    };
    if let Some(compressed) = known(&COMPRESSED) {
        let is_archive = COMPRESSED.iter().any(|(exact, _)| *exact == extension)
            && self::extension(base).is_some_and(|(_, inner)| inner.eq_ignore_ascii_case("tar"));
        return if is_archive { TAR } else { compressed };
    }
    known(&SHORT).or_else(|| in_table(&extension.to_ascii_lowercase())).unwrap_or(UNKNOWN)
}

/// Whether an artifact of this type is sent with `Content-Encoding: gzip`.
#[must_use]
pub fn is_compressible(content_type: &str) -> bool {
    COMPRESSIBLE.contains(&content_type)
}

fn in_table(extension: &str) -> Option<&'static str> {
    let place = TYPES.binary_search_by_key(&extension, |(known, _)| known).ok()?;
    TYPES.get(place).map(|(_, content_type)| *content_type)
}

/// A name without its extension, and the extension. Dots at the beginning of a file's name begin none.
fn extension(name: &str) -> Option<(&str, &str)> {
    let (base, extension) = name.rsplit_once('.')?;
    let file = base.rsplit('/').next().unwrap_or_default();
    let is_one = !extension.contains('/') && !file.trim_start_matches('.').is_empty();
    is_one.then_some((base, extension))
}

/// Extensions in lower case and the types that they stand for, in alphabetical order.
const TYPES: [(&str, &str); 165] = [
    ("3g2", "audio/3gpp2"),
    ("3gp", "audio/3gpp"),
    ("3gpp", "audio/3gpp"),
    ("3gpp2", "audio/3gpp2"),
    ("a", "text/vnd.a"),
    ("aac", "audio/aac"),
    ("adts", "audio/aac"),
    ("ai", "application/postscript"),
    ("aif", "audio/x-aiff"),
    ("aifc", "audio/x-aiff"),
    ("aiff", "audio/x-aiff"),
    ("apk", "application/vnd.android.package-archive"),
    ("asc", "application/pgp-keys"),
    ("ass", "audio/aac"),
    ("au", "audio/basic"),
    ("avi", "video/x-msvideo"),
    ("avif", "image/avif"),
    ("bat", "application/x-msdos-program"),
    ("bcpio", "application/x-bcpio"),
    ("bin", "application/octet-stream"),
    ("bmp", "image/bmp"),
    ("brf", "text/plain"),
    ("c", "text/x-csrc"),
    ("cdf", "application/x-cdf"),
    ("cpio", "application/x-cpio"),
    ("csh", "text/x-csh"),
    ("css", "text/css"),
    ("csv", "text/csv"),
    ("deb", "application/vnd.debian.binary-package"),
    ("diff", "text/x-diff"),
    ("dll", "application/x-msdos-program"),
    ("dmg", "application/x-apple-diskimage"),
    ("doc", "application/msword"),
    ("dot", "text/vnd.graphviz"),
    ("dvi", "application/x-dvi"),
    ("eml", "message/rfc822"),
    ("eps", "application/postscript"),
    ("etx", "text/x-setext"),
    ("exe", "application/x-msdos-program"),
    ("gif", "image/gif"),
    ("gtar", "application/x-gtar"),
    ("h", "text/x-chdr"),
    ("h5", "application/x-hdf5"),
    ("hdf", "application/x-hdf"),
    ("heic", "image/heic"),
    ("heif", "image/heif"),
    ("htm", "text/html"),
    ("html", "text/html"),
    ("ico", "image/vnd.microsoft.icon"),
    ("ief", "image/ief"),
    ("jar", "application/java-archive"),
    ("jpe", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("js", "text/javascript"),
    ("json", "application/json"),
    ("ksh", "text/plain"),
    ("latex", "application/x-latex"),
    ("loas", "audio/usac"),
    ("m1v", "video/mpeg"),
    ("m3u", "audio/mpegurl"),
    ("m3u8", "application/vnd.apple.mpegurl"),
    ("man", "application/x-troff-man"),
    ("md", "text/markdown"),
    ("me", "application/x-troff-me"),
    ("mht", "message/rfc822"),
    ("mhtml", "message/rfc822"),
    ("mif", "application/vnd.mif"),
    ("mjs", "text/javascript"),
    ("mov", "video/quicktime"),
    ("movie", "video/x-sgi-movie"),
    ("mp2", "audio/mpeg"),
    ("mp3", "audio/mpeg"),
    ("mp4", "video/mp4"),
    ("mpa", "video/mpeg"),
    ("mpe", "video/mpeg"),
    ("mpeg", "video/mpeg"),
    ("mpg", "video/mpeg"),
    ("ms", "application/x-troff-ms"),
    ("msi", "application/x-msi"),
    ("n3", "text/n3"),
    ("nc", "application/x-netcdf"),
    ("nq", "application/n-quads"),
    ("nt", "application/n-triples"),
    ("nws", "message/rfc822"),
    ("o", "application/x-object"),
    ("obj", "model/obj"),
    ("oda", "application/ODA"),
    ("opus", "audio/ogg"),
    ("p12", "application/pkcs12"),
    ("p7c", "application/pkcs7-mime"),
    ("pbm", "image/x-portable-bitmap"),
    ("pdf", "application/pdf"),
    ("pfx", "application/pkcs12"),
    ("pgm", "image/x-portable-graymap"),
    ("pkg", "application/vnd.apple.installer+xml"),
    ("pl", "text/x-perl"),
    ("png", "image/png"),
    ("pnm", "image/x-portable-anymap"),
    ("pot", "text/plain"),
    ("ppa", "application/vnd.ms-powerpoint"),
    ("ppm", "image/x-portable-pixmap"),
    ("pps", "application/vnd.ms-powerpoint"),
    ("ppt", "application/vnd.ms-powerpoint"),
    ("ps", "application/postscript"),
    ("pwz", "application/vnd.ms-powerpoint"),
    ("py", "text/x-python"),
    ("pyc", "application/x-python-code"),
    ("pyo", "application/x-python-code"),
    ("qt", "video/quicktime"),
    ("ra", "audio/x-pn-realaudio"),
    ("ram", "audio/x-pn-realaudio"),
    ("ras", "image/x-cmu-raster"),
    ("rdf", "application/rdf+xml"),
    ("rgb", "image/x-rgb"),
    ("roff", "text/troff"),
    ("rpm", "application/x-redhat-package-manager"),
    ("rtx", "text/richtext"),
    ("sgm", "text/SGML"),
    ("sgml", "text/SGML"),
    ("sh", "text/x-sh"),
    ("shar", "application/x-shar"),
    ("shtml", "text/html"),
    ("sig", "application/pgp-signature"),
    ("snd", "audio/basic"),
    ("so", "application/octet-stream"),
    ("src", "application/x-wais-source"),
    ("srt", "text/plain"),
    ("sv4cpio", "application/x-sv4cpio"),
    ("sv4crc", "application/x-sv4crc"),
    ("svg", "image/svg+xml"),
    ("swf", "application/vnd.adobe.flash.movie"),
    ("t", "text/troff"),
    ("tar", "application/x-tar"),
    ("tcl", "text/x-tcl"),
    ("tex", "text/x-tex"),
    ("texi", "application/x-texinfo"),
    ("texinfo", "application/x-texinfo"),
    ("text", "text/plain"),
    ("tif", "image/tiff"),
    ("tiff", "image/tiff"),
    ("tr", "text/troff"),
    ("trig", "application/trig"),
    ("tsv", "text/tab-separated-values"),
    ("txt", "text/plain"),
    ("ustar", "application/x-ustar"),
    ("vcf", "text/vcard"),
    ("vtt", "text/vtt"),
    ("wasm", "application/wasm"),
    ("wav", "audio/x-wav"),
    ("webm", "video/webm"),
    ("webmanifest", "application/manifest+json"),
    ("wiz", "application/msword"),
    ("wsdl", "application/wsdl+xml"),
    ("xbm", "image/x-xbitmap"),
    ("xlb", "application/vnd.ms-excel"),
    ("xls", "application/vnd.ms-excel"),
    ("xml", "application/xml"),
    ("xpdl", "application/xml"),
    ("xpi", "application/x-xpinstall"),
    ("xpm", "image/x-xpixmap"),
    ("xsl", "application/xslt+xml"),
    ("xwd", "image/x-xwindowdump"),
    ("zip", "application/zip"),
    ("zst", "application/zstd"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order() {
        assert!(TYPES.is_sorted_by(|one, other| one.0 < other.0));
    }

    /// 74 and 77 of the worker's behaviours.
    #[test]
    fn b074_b077_types_are_those_of_the_table() {
        for (name, expected) in [
            ("public/logs/live_backing.log", "text/plain"),
            ("a.txt", "text/plain"),
            ("a.asc", "text/plain"),
            ("a.diff", "text/plain"),
            ("a.xml", "application/xml"),
            ("a.json", "application/json"),
            ("A.JSON", "application/json"),
            ("a.htm", "text/html"),
            ("a.tar.gz", "application/x-tar"),
            ("a.tgz", "application/x-tar"),
            ("a.dmg", "application/x-apple-diskimage"),
            ("a.zip", "application/zip"),
            ("a.apk", "application/vnd.android.package-archive"),
            ("a.sig", "application/pgp-signature"),
            ("a.msi", "application/x-msi"),
            ("a.exe", "application/x-msdos-program"),
            ("a.mar", "application/binary"),
            ("a.yml", "application/binary"),
            ("none", "application/binary"),
            ("dir.txt/none", "application/binary"),
            ("a.", "application/binary"),
            (".json", "application/binary"),
            ("x/..json", "application/binary"),
            (".txt", "text/plain"),
            ("a.TXT", "text/plain"),
            ("a.LOG", "application/binary"),
        ] {
            assert_eq!(content_type(name), expected, "{name}");
        }
    }

    #[test]
    fn b076_compressed_files_are_sent_as_they_are() {
        for (name, expected) in [
            ("a.tar.xz", "application/x-tar"),
            ("a.tar.bz2", "application/x-tar"),
            ("a.txz", "application/x-tar"),
            ("a.json.gz", "application/gzip"),
            ("a.txt.gz", "application/gzip"),
            ("a.gz", "application/gzip"),
            ("a.txt.xz", "application/x-xz"),
            ("a.svgz", "application/gzip"),
            ("a.txt.br", "application/binary"),
        ] {
            assert_eq!(content_type(name), expected, "{name}");
            assert!(!is_compressible(expected), "{name}");
        }
    }
}

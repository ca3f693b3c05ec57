use super::*;

fn store(bound: u64) -> (tempfile::TempDir, DirectoryStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = DirectoryStore::open(&folder.path().join("cache"), bound).unwrap();
    (folder, store)
}

fn read(store: &DirectoryStore, name: &Name) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    store.read(name).unwrap()?.read_to_end(&mut bytes).unwrap();
    Some(bytes)
}

fn age(store: &DirectoryStore, name: &Name, hours: u64) {
    let then = SystemTime::now() - Duration::from_secs(3600 * hours);
    File::open(store.path(name)).unwrap().set_modified(then).unwrap();
}

#[test]
fn entries_are_readable_until_removed() {
    let (_folder, store) = store(100);
    for name in [Name::Entry([1; 32]), Name::Blob([1; 32])] {
        assert_eq!(read(&store, &name), None);
        assert_eq!(store.write(&name, &mut b"one".as_slice()).unwrap(), 3);
        store.write(&name, &mut b"two!".as_slice()).unwrap();
        assert_eq!(read(&store, &name), Some(b"two!".to_vec()));
    }
    let contents = store.contents().unwrap();
    assert_eq!((contents.entries, contents.entry_bytes, contents.blobs, contents.blob_bytes), (1, 4, 1, 4));
    store.remove(&Name::Blob([1; 32])).unwrap();
    store.remove(&Name::Blob([1; 32])).unwrap();
    assert_eq!(store.names().unwrap(), [Name::Entry([1; 32])]);
    assert_eq!(fs::read_dir(store.root.join("new")).unwrap().count(), 0);
}

#[test]
fn the_least_recently_used_goes_first() {
    let (_folder, store) = store(100);
    for number in 0..12 {
        let name = Name::Entry([number; 32]);
        store.write(&name, &mut [0; 10].as_slice()).unwrap();
        age(&store, &name, 20 - u64::from(number));
    }
    // Used now, though it was created first.
    read(&store, &Name::Entry([0; 32]));
    let swept = store.make_room().unwrap();
    assert_eq!(swept, Swept { removed: 3, freed: 30, left: 90 });
    let left = store.names().unwrap();
    assert!(left.contains(&Name::Entry([0; 32])) && left.contains(&Name::Entry([11; 32])));
    assert!(!left.contains(&Name::Entry([1; 32])) && !left.contains(&Name::Entry([3; 32])));
    assert_eq!(store.make_room().unwrap(), Swept { removed: 0, freed: 0, left: 90 });
}

#[test]
fn a_use_is_noted_at_most_once_an_hour() {
    let (_folder, store) = store(100);
    let name = Name::Entry([1; 32]);
    store.write(&name, &mut b"x".as_slice()).unwrap();
    let used = || fs::metadata(store.path(&name)).unwrap().modified().unwrap();
    let recent = SystemTime::now() - Duration::from_secs(1800);
    File::open(store.path(&name)).unwrap().set_modified(recent).unwrap();
    read(&store, &name);
    assert!(is_older(used(), Duration::from_secs(1700)));
    age(&store, &name, 2);
    read(&store, &name);
    assert!(!is_older(used(), Duration::from_secs(60)));
}

#[test]
fn room_is_made_when_it_is_needed() {
    let (_folder, store) = store(50);
    assert_eq!(store.size(), None);
    for number in 0..9 {
        let name = Name::Blob([number; 32]);
        store.write(&name, &mut [0; 10].as_slice()).unwrap();
        age(&store, &name, 1);
        store.tidy().unwrap();
        let (noted, there) = (store.size().unwrap().0, store.contents().unwrap().blob_bytes);
        assert!(noted == there && there <= 50, "{noted}, {there}");
    }
    // An old count is counted again, and so is one that cannot be read.
    let long_ago = SystemTime::now() - Duration::from_secs(25 * 3600);
    store.forget_size().unwrap();
    store.note_count(3, long_ago).unwrap();
    store.tidy().unwrap();
    assert_eq!(store.size().unwrap().0, store.contents().unwrap().blob_bytes);
    for wrong in ["", "x", "1", "1 x", "-1 1", "99999999999999999999 1", "1 99999999999999999999"] {
        fs::write(store.root.join("size"), wrong).unwrap();
        store.tidy().unwrap();
        assert_eq!(store.size().unwrap().0, store.contents().unwrap().blob_bytes, "{wrong}");
    }
}

#[test]
fn leftovers_are_removed_and_active_writes_stay() {
    let (folder, store) = store(100);
    let (left, living) = (store.root.join("new/.tmpleft"), store.begin().unwrap());
    fs::write(&left, b"half").unwrap();
    // A link that a killed process was about to name, and its file elsewhere.
    let (linked, link) = (folder.path().join("linked"), store.root.join("new/.tmplink"));
    fs::write(&linked, b"whole").unwrap();
    fs::hard_link(&linked, &link).unwrap();
    store.tidy().unwrap();
    assert!(!left.exists() && !link.exists() && linked.exists() && living.path().exists());
    living.persist(store.root.join("new/whole")).unwrap();
}

/// A process that is killed before it makes room leaves its writes noted.
#[test]
fn the_bound_holds_for_what_killed_processes_wrote() {
    let (folder, store) = store(50);
    let write = |number: u8| {
        let name = Name::Blob([number; 32]);
        let file = folder.path().join("file");
        fs::write(&file, [number; 10]).unwrap();
        match number % 4 {
            0 => store.write(&name, &mut [number; 10].as_slice()).unwrap(),
            1 => store.copy_in(&name, &File::open(&file).unwrap()).unwrap(),
            2 => store.move_in(&name, &file).unwrap(),
            _ => store.link_in(&name, &file).unwrap(),
        };
        let _ = fs::remove_file(file);
    };
    for number in 0..8 {
        write(number);
    }
    assert_eq!((store.size(), store.contents().unwrap().blob_bytes), (None, 80));
    store.tidy().unwrap();
    assert_eq!(store.contents().unwrap().blob_bytes, 40);
    for number in 8..12 {
        write(number);
    }
    assert_eq!((store.size().unwrap().0, store.contents().unwrap().blob_bytes), (80, 80));
    store.tidy().unwrap();
    assert_eq!(store.contents().unwrap().blob_bytes, 40);
    // What is written while the bytes are counted is counted, too, or twice.
    store.forget_size().unwrap();
    write(20);
    assert_eq!(store.size(), None);
    store.note_count(40, SystemTime::now()).unwrap();
    assert_eq!(store.size().unwrap().0, 50);
    // More notes than are read.
    store.append(&"1\n".repeat(40_000)).unwrap();
    assert_eq!(store.size(), None);
}

#[test]
fn only_the_cache_is_cleared() {
    let (folder, store) = store(100);
    let directory = folder.path().join("cache");
    store.write(&Name::Blob([1; 32]), &mut b"1234".as_slice()).unwrap();
    fs::write(directory.join("theirs"), b"x").unwrap();
    assert_eq!(store.clear().unwrap(), Swept { removed: 1, freed: 4, left: 0 });
    let left: Vec<_> = listed(&directory).unwrap().iter().map(fs::DirEntry::file_name).collect();
    assert_eq!(left, ["theirs"]);
    assert!(matches!(DirectoryStore::existing(&directory, 1), Err(DirectoryError::Missing(_))));
    assert!(matches!(DirectoryStore::existing(folder.path(), 1), Err(DirectoryError::Missing(_))));
}

#[cfg(unix)]
#[test]
fn special_files_are_not_read_and_are_removed() {
    use std::os::unix::fs::symlink;
    let (folder, store) = store(100);
    let name = Name::Entry([1; 32]);
    store.write(&name, &mut b"x".as_slice()).unwrap();
    let path = store.path(&name);
    let elsewhere = folder.path().join("elsewhere");
    fs::rename(&path, &elsewhere).unwrap();
    symlink(&elsewhere, &path).unwrap();
    assert!(store.read(&name).is_err());
    store.remove(&name).unwrap();
    assert!(elsewhere.exists() && !path.is_symlink());
    let make = || {
        fs::create_dir(&path).unwrap();
        fs::write(path.join("more"), b"x").unwrap();
    };
    make();
    assert!(store.read(&name).is_err());
    store.remove(&name).unwrap();
    assert!(!path.exists() && store.read(&name).unwrap().is_none());
    make();
    store.write(&name, &mut b"y".as_slice()).unwrap();
    assert_eq!(read(&store, &name), Some(b"y".to_vec()));
}

#[cfg(unix)]
#[test]
fn a_directory_that_others_can_write_to_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let (folder, _) = store(100);
    let directory = folder.path().join("cache");
    assert_eq!(fs::metadata(&directory).unwrap().permissions().mode() & 0o777, 0o700);
    for at in [directory.clone(), directory.join("v1")] {
        for mode in [0o770, 0o702, 0o777] {
            fs::set_permissions(&at, fs::Permissions::from_mode(mode)).unwrap();
            let opened = DirectoryStore::open(&directory, 1);
            assert!(matches!(opened, Err(DirectoryError::NotPrivate { mode: told, .. }) if told == mode));
            assert!(DirectoryStore::existing(&directory, 1).is_err());
        }
        fs::set_permissions(&at, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(DirectoryStore::open(&directory, 1).is_ok());
    }
    let file = folder.path().join("file");
    fs::write(&file, b"").unwrap();
    assert!(DirectoryStore::open(&file, 1).is_err());
}

#[test]
fn many_write_the_same() {
    let (_folder, store) = store(1 << 20);
    std::thread::scope(|scope| {
        for thread in 0..8_u8 {
            let store = &store;
            scope.spawn(move || {
                for number in 0..20 {
                    let name = Name::Blob([number; 32]);
                    store.write(&name, &mut [thread; 5000].as_slice()).unwrap();
                    let bytes = read(store, &name).unwrap();
                    assert!(bytes.len() == 5000 && bytes.iter().all(|byte| *byte == bytes[0]));
                }
            });
        }
    });
    assert_eq!(store.contents().unwrap().blob_bytes, 100_000);
}

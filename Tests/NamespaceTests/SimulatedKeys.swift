import ObjectStore

/// Keys of trees to walk.
enum SimulatedKeys {
    /// Returns subjects with the same number of folders, each with the same number of files.
    static func study(subjects: Int, folders: Int, files: Int) -> [Key] {
        var keys: [Key] = []
        for subject in 0..<subjects {
            for folder in 0..<folders {
                for file in 0..<files {
                    keys.append(Key("study/sub-\(1_000 + subject)/run-\(100 + folder)/f\(1_000 + file).nii.gz"))
                }
            }
        }
        return keys
    }

    /// Returns one folder with many small ones.
    static func tinyFolders(_ count: Int, files: Int) -> [Key] {
        (0..<count).flatMap { folder in (0..<files).map { Key("many/d\(100_000 + folder)/f\($0)") } }
    }

    /// Returns subjects with one folder of nearly all files, in which the same folders have different numbers of files.
    static func unevenStudy(subjects: Int) -> [Key] {
        (0..<subjects).flatMap { subject in
            let base = "study/sub-\(1_000 + subject)/"
            let results = (0..<20).flatMap { task -> [Key] in
                // Without a pattern from subject to subject.
                let seed = (subject * 7_919 + task * 104_729) % 101
                let count = seed % 9 == 0 ? 0 : 250 + 500 * task % 700 + 7 * seed
                return (0..<count).map {
                    Key("\(base)out/results/task-\(100 + task)/run-\(10 + $0 / 40)/f\(1_000 + $0)")
                }
            }
            let others = ["info", "out", "raw"].flatMap { folder in (0..<30).map { Key("\(base)\(folder)/\($0)") } }
            return results + others
        }
    }

    /// Returns one big folder, and small ones behind it that are nothing like it.
    static func oneBigFolder(before count: Int) -> [Key] {
        (0...count).flatMap { folder in
            (0..<(folder == 0 ? 20_000 : 100)).map {
                Key("study/d\(1_000 + folder)/run-\(10 + $0 / 200)/f\(10_000 + $0)")
            }
        }
    }

    /// Subjects of the Human Connectome Project.
    static func connectomes(_ count: Int) -> [Key] {
        (0..<count).flatMap { ConnectomeKeys.subject($0) }
    }
}

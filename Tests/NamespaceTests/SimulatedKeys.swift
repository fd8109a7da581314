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

    /// Subjects of the Human Connectome Project.
    static func connectomes(_ count: Int) -> [Key] {
        (0..<count).flatMap { ConnectomeKeys.subject($0) }
    }
}

import Foundation
import ObjectStore
import TestSupport

/// The keys and sizes of a bucket that is walked, and the tree that a walk should find.
struct WalkTree {
    private(set) var byteCounts: [Key: Int] = [:]

    /// An entry of the tree: the size of a file, `nil` for a folder.
    typealias Entry = (path: String, byteCount: Int?)

    /// Adds objects, each of a size that tells it from most others.
    mutating func add(_ keys: [String]) {
        for key in keys { byteCounts[Key(key)] = 10 + byteCounts.count % 9_973 }
    }

    /// Adds an object of this size.
    mutating func add(_ key: String, byteCount: Int) {
        byteCounts[Key(key)] = byteCount
    }

    /// Puts all objects into the server's bucket. Their bytes are made up, and take no memory.
    func put(into server: S3TestServer) {
        server.put(byteCounts.mapValues { .pattern(seed: 1, byteCount: $0) })
    }

    /// All entries by the rules of docs/SEMANTICS.md, each folder before what is in it.
    var entries: [Entry] {
        var folders: Set<String> = []
        var files: [(String, Int)] = []
        for (key, byteCount) in byteCounts {
            let (above, isFile) = place(of: key)
            folders.formUnion(above)
            if isFile { files.append((String(decoding: key.bytes, as: UTF8.self), byteCount)) }
        }
        let entries: [Entry] = folders.map { ($0, nil) } + files.filter { !folders.contains($0.0) }.map { ($0.0, $0.1) }
        return entries.sorted { $0.0.utf8.lexicographicallyPrecedes($1.0.utf8) }
    }

    /// The paths of the folders that the key is in, as far as paths can name them, and whether it is a file itself.
    private func place(of key: Key) -> ([String], isFile: Bool) {
        var folders: [String] = []
        var path: [UInt8] = []
        let components = key.bytes.split(separator: Key.delimiter, omittingEmptySubsequences: false)
        for (index, component) in components.enumerated() {
            if !isName(component) { return (folders, false) }
            path += (index == 0 ? [] : [Key.delimiter]) + component
            if index < components.count - 1 { folders.append(String(decoding: path, as: UTF8.self)) }
        }
        return (folders, true)
    }

    private func isName(_ component: ArraySlice<UInt8>) -> Bool {
        (1...255).contains(component.count) && !component.contains(0) && ![[46], [46, 46]].contains(component)
            && String(validating: component, as: UTF8.self) != nil
    }

    /// Every folder, and the bucket itself as the empty path.
    var folders: [String] { [""] + entries.filter { $0.byteCount == nil }.map(\.path) }
}

/// Trees for tests.
extension WalkTree {
    /// Subjects as the HCP has them, with its hostile names. One of them has a folder of 2,505 entries.
    static func subjects(_ count: Int) -> WalkTree {
        var tree = WalkTree()
        for index in 0..<count {
            let name = String(100_307 + index * 1_001)
            tree.add(subjectKeys(name).map { "\(name)/\($0)" })
        }
        let report =
            "100307/MNINonLinear/Results/rfMRI_REST1_LR/rfMRI_REST1_LR_hp2000.ica/filtered_func_data.ica/report"
        tree.add((1...2_505).map { "\(report)/f\($0).txt" })
        return tree
    }

    private static func subjectKeys(_ name: String) -> [String] {
        let surfaces = ["L", "R"].flatMap { side in
            (0..<20).map { "MNINonLinear/fsaverage_LR32k/\(name).\(side).\($0).32k_fs_LR.surf.gii" }
        }
        let runs = ["tfMRI_WM_LR", "tfMRI_WM_RL", "rfMRI_REST1_LR"].flatMap { run in
            (0..<12).flatMap { index in
                [
                    "MNINonLinear/Results/\(run)/\(run)_\(index).nii.gz",
                    "MNINonLinear/Results/\(run)/\(run)_hp2000.ica/mc/\(index).par",
                    "MNINonLinear/Results/\(run)/\(run)_hp200_s4_level1.feat/GrayordinatesStats/cope\(index).dtseries.nii",
                ]
            } + ["MNINonLinear/Results/\(run)/\(run)_hp2000.ica/.fix"]
        }
        return surfaces + runs + [
            ".xdlm/\(name).json", ".xdlm/\(name)_3T.json", "release-notes/Diffusion.txt",
            "T1w/T1w_acpc_dc_restore.nii.gz", "T1w/T2w_acpc_dc_restore.nii.gz", "T1w/aparc+aseg.nii.gz",
            "T1w/Diffusion.bedpostX/dyads1.nii.gz", "T1w/Diffusion.bedpostX/mean_f1samples.nii.gz",
            "T1w/Diffusion/bvals", "T1w/Diffusion/bvecs", "T1w/Diffusion/eddylogs/a.txt",
            "T1w/Diffusion_7T/bvals", "T1w/\(name)/mri/orig.mgz", "T1w/\(name)/mri/orig/001.mgz",
            "T1w/\(name)/mri/orig/002.mgz", "T1w/\(name)/mri/.xdebug_mris_calc", "T1w/\(name)/mri/aparc+aseg.mgz",
            "T1w/\(name)/label/lh.BA.annot", "T1w/\(name)/surf/lh.white",
            "MEG/\(name)_MEG_[LM-TEMG-LF]_[BT-diff]_[TF],x.mat", "MEG/[a-z]*/?.mat",
            "unprocessed/3T/tfMRI_WM_LR/LINKED_DATA/EPRIME/EVs/0bk_body.txt",
        ]
    }

    /// Keys that are allowed and hard to show as paths: names that are file and folder, markers, keys that no path can
    /// name, names that sort around "/", and names of every length.
    static func oddities(below prefix: String) -> WalkTree {
        var tree = WalkTree()
        tree.add(
            [
                "both", "both-", "both.x/f", "both/f", "both0", "empty/", "marker/", "marker/f", "nested/empty/",
                "a//b",
                "only//", "./f", "dots/../f", "dots/./f", "dots/f", ".hidden", ".hidden-folder/.f", "a b/c d", "a+b",
                "a%20b", "caf\u{e9}", "cafe\u{301}", "日本/語", "x/x/x/x/x/x/x/x/x/x", "quote's", "double\"quote",
                "back\\slash", "*", "[a]/[b]", "~", "-rf", "control/\u{1b}[0m", String(repeating: "n", count: 255),
                String(repeating: "n", count: 256), String(repeating: "é", count: 128) + "/f",
            ].map { prefix + $0 })
        tree.add(prefix + "zero", byteCount: 0)
        tree.add(prefix + "one", byteCount: 1)
        tree.add(prefix + "big", byteCount: 5 << 40)
        // A file whose folder comes pages later.
        tree.add((100..<400).map { "\(prefix)late-\($0)" } + [prefix + "late", prefix + "late/f"])
        return tree
    }

    /// So many subjects of 45 folders and 1,000 files each.
    static func uniform(subjectCount: Int) -> WalkTree {
        var tree = WalkTree()
        for subject in 0..<subjectCount {
            tree.add((0..<1_000).map { "\(100_000 + subject)/\(uniformFolder($0 % 45))/file-\($0).nii.gz" })
        }
        return tree
    }

    /// 45 folders: 5 of one component, 10 of two, 30 of three.
    private static func uniformFolder(_ index: Int) -> String {
        switch index {
        case 0..<5: "part-\(index)"
        case 5..<15: "part-\(index % 5)/run-\(index)"
        default: "part-\(index % 5)/run-\(5 + index % 10)/sub-\(index)"
        }
    }

    /// This tree with all of another.
    func with(_ other: WalkTree) -> WalkTree {
        var tree = self
        tree.byteCounts.merge(other.byteCounts) { $1 }
        return tree
    }
}

import ObjectStore

/// Modelled keys of subjects of the Human Connectome Project: as many keys and folders as a real subject, as deep, with
/// some folders of more than one page, and with names that are hard for a file system.
///
/// `scripts/benchmark/hcp.py` has the same model, with sizes.
enum ConnectomeKeys {
    /// Returns the keys of the subject with an index.
    static func subject(_ index: Int) -> [Key] {
        let id = String(100_206 + 4_211 * index)
        let paths = plainPaths + taskPaths + restPaths(index)
        return paths.map { Key("HCP_1200/\(id)/\($0)".replacing("{}", with: id)) }
    }

    /// The tasks of a subject, and the number of contrasts of each.
    private static let contrasts = [
        ("EMOTION", 6), ("GAMBLING", 6), ("LANGUAGE", 6), ("MOTOR", 26), ("RELATIONAL", 6), ("SOCIAL", 6), ("WM", 30),
    ]
    private static let statistics = [
        "cope1", "mask", "mean_random_effects_var1", "pe1", "res4d", "tdof_t1", "tstat1", "varcope1", "weights1",
        "zflame1lowertstat1", "zflame1uppertstat1", "zstat1",
    ]
    private static let designs = [
        "design.con", "design.fsf", "design.grp", "design.lev", "design.mat", "design.png", "design_cov.png",
    ]
    /// The number of files in other folders; `{}` is the subject's id.
    private static let folders = [
        (".xdlm", 46), ("release-notes", 68), ("MNINonLinear", 94), ("MNINonLinear/Native", 82),
        ("MNINonLinear/fsaverage_LR32k", 78), ("MNINonLinear/ROIs", 6), ("MNINonLinear/xfms", 3), ("T1w", 17),
        ("T1w/Diffusion", 5), ("T1w/Diffusion/eddylogs", 8), ("T1w/Diffusion.bedpostX", 38),
        ("T1w/Diffusion.bedpostX/logs/logs_gpu", 72), ("T1w/Native", 11), ("T1w/fsaverage_LR32k", 26),
        ("T1w/{}/label", 73), ("T1w/{}/mri", 61), ("T1w/{}/stats", 16), ("T1w/{}/mri/orig", 1),
        ("T1w/{}/mri/transforms", 21), ("T1w/{}/surf", 122), ("T1w/{}/touch", 61), ("unprocessed/3T", 1),
        ("unprocessed/3T/Diffusion", 26), ("unprocessed/3T/T1w_MPR1", 6), ("unprocessed/3T/T2w_SPC1", 6),
    ]
    /// Names that differ in few characters, or that need encoding.
    private static let oddPaths = [
        "T1w/{}/mri/aparc+aseg.nii.gz", "T1w/{}/mri/aparc.a2009s+aseg.mgz", "T1w/{}/mri/orig.mgz",
        "T1w/Diffusion_7T/bvals",
        "MEG/Wrkmem/tmegpreproc/{}_MEG_7-Wrkmem_tmegpreproc_[LM-TEMG-LF]_[BT-diff],[FB-alpha].mat",
    ]

    private static var plainPaths: [String] {
        var paths = oddPaths
        for (folder, count) in folders { paths += (0..<count).map { "\(folder)/{}_file.\(1_000 + $0).nii.gz" } }
        return paths
    }

    private static var taskPaths: [String] {
        var paths: [String] = []
        for (task, contrastCount) in contrasts {
            let results = "MNINonLinear/Results/tfMRI_\(task)/tfMRI_\(task)_hp200"
            let analyses = [
                "s2_level2", "s4_level2", "s8_level2", "s12_level2", "s2_level2_MSMAll", "s4_level2_MSMAll",
            ]
            for analysis in analyses.map({ "\(results)_\($0).feat" }) {
                paths += designs.map { "\(analysis)/\($0)" }
                for contrast in 1...contrastCount {
                    let folder = "\(analysis)/GrayordinatesStats/cope\(contrast).feat"
                    paths += statistics.map { "\(folder)/\($0).dtseries.nii" }
                    paths.append("\(folder)/logfile")
                }
            }
            for contrast in 1...contrastCount {
                let folder = "\(results)_s4_level2vol.feat/cope\(contrast).feat"
                paths += designs.map { "\(folder)/\($0)" }
                paths += statistics.map { "\(folder)/stats/\($0).nii.gz" }
                paths.append("\(folder)/stats/logfile")
            }
            for direction in ["LR", "RL"] { paths += scanPaths("tfMRI_\(task)_\(direction)") }
        }
        return paths
    }

    private static func scanPaths(_ scan: String) -> [String] {
        let (results, raw) = ("MNINonLinear/Results/\(scan)", "unprocessed/3T/\(scan)")
        let motions = ["AbsoluteRMS", "AbsoluteRMS_mean", "Regressors", "Regressors_dt", "RelativeRMS"]
        let volumes = ["BIAS_32CH", "BIAS_BC", "SpinEchoFieldMap_LR", "SpinEchoFieldMap_RL", scan]
        var paths = motions.map { "\(results)/Movement_\($0).txt" }
        paths += ["Sync", "cue", "fear", "neut"].map { "\(results)/EVs/\($0).txt" }
        paths += volumes.map { "\(raw)/{}_3T_\($0).nii.gz" }
        paths += ["\(scan).nii.gz", "RibbonVolumeToSurfaceMapping/goodvoxels.nii.gz"].map { "\(results)/\($0)" }
        paths.append("\(raw)/LINKED_DATA/PHYSIO/{}_3T_\(scan)_Physio_log.txt")
        return paths
    }

    /// Scans at rest, with some files for each component in one folder: up to more than a page.
    private static func restPaths(_ index: Int) -> [String] {
        var paths: [String] = []
        for (number, name) in ["1_LR", "1_RL", "2_LR", "2_RL"].enumerated() {
            let scan = "rfMRI_REST\(name)"
            let analysis = "MNINonLinear/Results/\(scan)/\(scan)_hp2000.ica"
            paths += scanPaths(scan)
            paths += [".fix", "Noise.txt", "Signal.txt"].map { "\(analysis)/\($0)" }
            for component in 1...(30 + (index * 53 + number * 71) % 140) {
                let report = "\(analysis)/filtered_func_data.ica/report"
                let images = ["", "_MM", "_MMfit", "_MMprob", "_prob", "_thresh"]
                paths += images.map { "\(report)/IC_\(component)\($0).png" }
                paths += ["IC_\(component).html", "f\(component).png"].map { "\(report)/\($0)" }
                paths += ["f\(component).txt", "t\(component).txt"].map { "\(report)/\($0)" }
            }
        }
        return paths
    }
}

/// The style of a page. The colors are those of Okabe and Ito, which color-blind readers can distinguish ("Color
/// Universal Design", 2008).
enum ReportStyle {
    static let sheet: Markup = """
        :root { color-scheme: light dark; --page: #fff; --card: #f6f7f8; --ink: #1b1e21; --soft: #5b6570; --line: #d9dde1;
          --orange: #e69f00; --sky: #56b4e9; --green: #009e73; --blue: #0072b2; --red: #d55e00; --pink: #cc79a7; }
        @media screen and (prefers-color-scheme: dark) {
          :root { --page: #15181b; --card: #1e2226; --ink: #e8eaed; --soft: #a2abb4; --line: #363c42; --blue: #3a9bdc; --green: #1fbf8f; }
        }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.45 system-ui, "Segoe UI", "DejaVu Sans", sans-serif;
          -webkit-print-color-adjust: exact; print-color-adjust: exact; }
        main { max-width: 1120px; margin: 0 auto; padding: 24px 20px 48px; }
        h1 { font-size: 26px; margin: 0; overflow-wrap: anywhere; }
        h2 { font-size: 20px; margin: 36px 0 10px; border-bottom: 1px solid var(--line); padding-bottom: 4px; }
        h3 { font-size: 16px; margin: 22px 0 6px; }
        .sub, .remark, figcaption p, .none { color: var(--soft); margin: 2px 0 0; overflow-wrap: anywhere; }
        .summary p { font-size: 17px; margin: 18px 0; }
        .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); gap: 12px; }
        .tile { background: var(--card); border-radius: 8px; padding: 12px 14px; }
        .tile span { display: block; color: var(--soft); font-size: 13px; }
        .tile strong { display: block; font-size: 24px; line-height: 1.3; font-weight: 600; }
        .charts { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 26px 24px; }
        figure { margin: 0; min-width: 0; break-inside: avoid; }
        figure.wide { grid-column: 1 / -1; }
        figcaption h3 { margin: 0; }
        figcaption p { font-size: 13px; }
        svg { display: block; width: 100%; height: auto; }
        svg text { font: 12px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: var(--soft); }
        text.end { text-anchor: end; }
        text.middle { text-anchor: middle; }
        .grid { stroke: var(--line); stroke-width: 1; }
        .axis, .mark { stroke: var(--soft); stroke-width: 1; }
        .hints rect { fill: transparent; }
        .hints rect:hover { fill: var(--ink); fill-opacity: 0.12; }
        path.line { fill: none; stroke-width: 1.8; stroke-linejoin: round; stroke: var(--c); }
        path.area { fill: var(--c); }
        .s3 { --c: var(--orange); } .disk { --c: var(--sky); } .memory { --c: var(--green); } .get { --c: var(--blue); }
        .list { --c: var(--pink); } .again { --c: var(--red); } .ink { --c: var(--ink); }
        .median { --c: var(--ink); } .p99 { --c: var(--red); }
        .heat rect { fill: var(--blue); }
        .legend { list-style: none; display: flex; flex-wrap: wrap; gap: 2px 16px; margin: 6px 0 2px; padding: 0; font-size: 13px; }
        .legend i { display: inline-block; width: 12px; height: 12px; border-radius: 2px; margin-right: 6px; background: var(--c);
          vertical-align: -1px; }
        .legend .median i, .legend .p99 i { height: 3px; border-radius: 0; vertical-align: 4px; }
        .level i { background: var(--blue); }
        .legend .none i { background: var(--card); border: 1px solid var(--line); }
        .legend li.none { color: inherit; margin: 0; }
        .scroll { overflow-x: auto; }
        table { border-collapse: collapse; width: 100%; font-size: 14px; }
        th { text-align: left; font-weight: 400; }
        thead th { color: var(--soft); font-size: 13px; border-bottom: 1px solid var(--line); vertical-align: bottom; }
        th, td { padding: 3px 10px 3px 0; vertical-align: top; }
        tbody tr { border-bottom: 1px solid var(--line); break-inside: avoid; }
        .number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
        th.name { overflow-wrap: anywhere; width: 50%; min-width: 150px; }
        .bar { width: 16%; min-width: 60px; padding-right: 0; }
        .bar span { display: block; height: 11px; margin-top: 5px; background: var(--blue); border-radius: 2px; min-width: 1px; }
        table.requests { width: auto; min-width: min(480px, 100%); }
        .map { break-inside: avoid; margin: 10px 0; }
        .map p { margin: 0 0 2px; font-size: 13px; overflow-wrap: anywhere; }
        .map p span { color: var(--soft); white-space: nowrap; }
        .map svg { height: 18px; border: 1px solid var(--line); border-radius: 3px; }
        .map rect { fill: var(--blue); }
        .map rect.none { fill: var(--card); }
        .level0 { fill-opacity: 0.15; } .level1 { fill-opacity: 0.35; } .level2 { fill-opacity: 0.55; }
        .level3 { fill-opacity: 0.78; } .level4 { fill-opacity: 1; }
        .legend .level0 i { opacity: 0.15; } .legend .level1 i { opacity: 0.35; } .legend .level2 i { opacity: 0.55; }
        .legend .level3 i { opacity: 0.78; } .legend .level4 i { opacity: 1; }
        .facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(310px, 100%), 1fr)); gap: 0 28px; }
        .facts th { color: var(--soft); }
        .facts td { overflow-wrap: anywhere; padding-right: 0; }
        .notes { padding-left: 20px; margin: 0; }
        .notes li { margin: 3px 0; }
        @media (max-width: 760px) { .charts { grid-template-columns: minmax(0, 1fr); } }
        @media print { body { font-size: 12px; } main { max-width: none; padding: 0; } h2 { break-after: avoid; } h3 { break-after: avoid; } }
        """
}

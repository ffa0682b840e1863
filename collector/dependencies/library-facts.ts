/**
 * What is known of products and client libraries: which versions have a flaw that somebody published, which nobody mends any more, and
 * which were published by somebody who had taken the project over.
 *
 * Facts, in words of our own. Each flaw names its advisory, which says the rest: CVE numbers at https://nvd.nist.gov/vuln/detail/NUMBER,
 * GHSA ones at https://github.com/advisories/NUMBER; days are those of the projects' own announcements. A flaw that only shows in a
 * server's use of a library that pages load is left out, as is one that its project disputes.
 *
 * Ranges: `>=1.2.0 <3.5.0`, several parted by `||`; a version alone is that one (versions.ts).
 */
import type { Severity } from "../api.ts";

/** Range, severity, advisories, and what the flaw is. */
export type Flaw = readonly [range: string, severity: Severity, ids: string, what: string];

export interface Facts {
  /** As the module tells it, and other ways in which it is told: `vue` is `vue.js` as well. */
  names: readonly string[];
  flaws?: readonly Flaw[];
  /** Versions below are mended no more since that day. */
  ended?: readonly (readonly [below: string, since: string])[];
  /** Versions that hold code which is not their project's. */
  hijacked?: readonly Flaw[];
}

const XSS = "cross-site scripting";
const POLLUTION = "prototype pollution";
const REDOS = "a regular expression that takes exponential time";

/** Libraries that pages load. */
export const LIBRARIES: readonly Facts[] = [
  {
    names: ["jquery", "jquery-javascript-library", "jquery-core"],
    flaws: [
      ["<1.6.3", "medium", "CVE-2011-4969", `${XSS} through location.hash`],
      ["<1.9.0", "medium", "CVE-2012-6708", `${XSS} through selectors that are taken for HTML`],
      [">=1.4.0 <1.12.0 || >=1.12.3 <3.0.0", "medium", "CVE-2015-9251", "runs scripts that another site answers with"],
      [">=1.1.4 <3.4.0", "medium", "CVE-2019-11358", `${POLLUTION} through jQuery.extend`],
      [">=1.2.0 <3.5.0", "medium", "CVE-2020-11022, CVE-2020-11023", `${XSS} through HTML that was sanitized`],
    ],
    ended: [["3.0.0", "2019-04-10"]],
  },
  {
    names: ["jquery-ui", "jqueryui", "jquery.ui"],
    flaws: [
      ["<1.10.0", "medium", "CVE-2010-5312, CVE-2012-6662", `${XSS} through titles and tooltips`],
      ["<1.12.0", "medium", "CVE-2016-7103", `${XSS} through closeText of a dialog`],
      ["<1.13.0", "medium", "CVE-2021-41182, CVE-2021-41183, CVE-2021-41184", `${XSS} through options of widgets`],
      ["<1.13.2", "medium", "CVE-2022-31160", `${XSS} through labels of checkboxradio`],
    ],
  },
  {
    names: ["jquery-validation", "jquery-validation-plugin", "jquery.validate", "jquery-validate"],
    flaws: [
      ["<1.19.5", "medium", "CVE-2021-21252, CVE-2021-43306, CVE-2022-31147", REDOS],
      ["<1.20.0", "medium", "CVE-2025-3573", `${XSS} through labels`],
    ],
  },
  {
    names: ["jquery.prettyphoto", "prettyphoto"],
    flaws: [["<3.1.5", "medium", "CVE-2013-6837", XSS]],
  },
  {
    names: ["jquery-file-upload", "blueimp-file-upload"],
    flaws: [
      ["<9.22.1", "critical", "CVE-2018-9206", "files of any kind can be uploaded to the example that comes with it"],
    ],
  },
  { names: ["jquery.terminal"], flaws: [["<2.31.1", "low", "CVE-2021-43862", XSS]] },
  {
    names: ["bootstrap", "twitter-bootstrap", "bootstrap.js"],
    flaws: [
      [
        "<3.4.0 || >=4.0.0-alpha <4.1.2",
        "medium",
        "CVE-2018-14040, CVE-2018-14041, CVE-2018-14042",
        `${XSS} through data attributes`,
      ],
      ["<3.4.1 || >=4.0.0 <4.3.1", "medium", "CVE-2019-8331", `${XSS} through templates of tooltips and popovers`],
    ],
    ended: [
      ["4.0.0", "2019-07-24"],
      ["5.0.0", "2023-01-01"],
    ],
  },
  {
    names: ["bootstrap-select"],
    flaws: [["<1.13.6", "medium", "CVE-2019-20921", `${XSS} through texts of options`]],
  },
  {
    names: ["bootstrap-table"],
    flaws: [["<1.20.2", "medium", "CVE-2021-23472, CVE-2022-1726", XSS]],
  },
  {
    // Both that of version 1, whose name was AngularJS, and the later one, whose pages say `ng-version`.
    names: ["angular", "angularjs", "angular.js", "@angular/core", "ng"],
    flaws: [
      ["<1.5.0-beta.1", "medium", "CVE-2019-14863", `${XSS} through xlink:href`],
      ["<1.7.9", "high", "CVE-2019-10768", `${POLLUTION} through angular.merge`],
      ["<1.8.0", "medium", "CVE-2020-7676", `${XSS} through nested options`],
      [
        ">=1.0.0 <2.0.0",
        "medium",
        "CVE-2022-25869",
        `${XSS} through textarea in Internet Explorer, which nobody mends`,
      ],
      [">=2.0.0 <10.2.5 || >=11.0.0 <11.0.5", "medium", "CVE-2021-4231", `${XSS} through comments`],
    ],
    ended: [
      ["2.0.0", "2021-12-31"],
      ["18.0.0", "2025-05-15"],
    ],
  },
  {
    names: ["vue", "vue.js", "vuejs"],
    flaws: [[">=2.0.0 <3.0.0", "low", "CVE-2024-9506", `${REDOS}, in templates`]],
    ended: [["3.0.0", "2023-12-31"]],
  },
  {
    names: ["react", "react.js"],
    flaws: [[">=0.4.0 <0.4.2 || >=0.5.0 <0.5.2", "medium", "CVE-2013-7035", XSS]],
  },
  {
    names: ["ember", "ember.js", "ember-source"],
    flaws: [
      [
        ">=1.8.0 <1.11.4 || >=1.12.0 <1.12.2 || >=1.13.0 <1.13.12 || >=2.0.0 <2.0.3 || >=2.1.0 <2.1.2 || >=2.2.0 <2.2.1",
        "medium",
        "CVE-2015-7565",
        XSS,
      ],
    ],
  },
  {
    names: ["backbone", "backbone.js"],
    flaws: [["<0.5.0", "medium", "CVE-2016-10537", `${XSS} through Model.escape`]],
  },
  {
    names: ["knockout", "knockout.js", "knockout-javascript-library"],
    flaws: [["<3.5.0", "medium", "CVE-2019-14862", `${XSS} through bindings`]],
  },
  {
    names: ["lodash", "lodash.js", "lodash-core"],
    flaws: [
      ["<4.17.5", "medium", "CVE-2018-3721", POLLUTION],
      ["<4.17.11", "high", "CVE-2018-16487", POLLUTION],
      ["<4.17.12", "critical", "CVE-2019-10744", `${POLLUTION} through defaultsDeep`],
      [">=3.7.0 <4.17.20", "high", "CVE-2020-8203", `${POLLUTION} through zipObjectDeep`],
      ["<4.17.21", "high", "CVE-2021-23337, CVE-2020-28500", "code in options of template, and " + REDOS],
    ],
  },
  {
    names: ["underscore", "underscore.js"],
    flaws: [[">=1.3.2 <1.12.1", "high", "CVE-2021-23358", "code in options of template"]],
  },
  {
    names: ["moment", "moment.js"],
    flaws: [
      ["<2.11.2", "medium", "CVE-2016-4055", REDOS],
      ["<2.19.3", "high", "CVE-2017-18214", REDOS],
      [">=2.18.0 <2.29.4", "high", "CVE-2022-31129", REDOS],
    ],
  },
  { names: ["moment-timezone"], flaws: [[">=0.1.0 <0.5.35", "low", "GHSA-v78c-4p63-2j6c", "data fetched in clear"]] },
  {
    names: ["handlebars", "handlebars.js", "handlebars.runtime"],
    flaws: [
      ["<4.0.0", "medium", "CVE-2015-8861", `${XSS} through attributes without quotes`],
      ["<3.0.8 || >=4.0.0 <4.3.0", "critical", "CVE-2019-19919", `${POLLUTION}, and code in templates`],
      ["<3.0.8 || >=4.0.0 <4.5.3", "high", "CVE-2019-20920", "code in templates"],
      ["<4.7.7", "critical", "CVE-2021-23369, CVE-2021-23383", "code in templates"],
    ],
  },
  {
    names: ["mustache", "mustache.js"],
    flaws: [["<2.2.1", "medium", "CVE-2015-8862", `${XSS} through attributes without quotes`]],
  },
  { names: ["nunjucks"], flaws: [["<3.2.4", "medium", "CVE-2023-2142", `${XSS} where two values stand on a line`]] },
  { names: ["ejs"], flaws: [["<3.1.7", "critical", "CVE-2022-29078", "code in options of a template"]] },
  {
    names: ["dompurify", "purify"],
    flaws: [
      ["<2.0.3", "medium", "CVE-2019-16728", `${XSS} that it lets pass`],
      ["<2.0.17", "medium", "CVE-2020-26870", `${XSS} that it lets pass`],
      ["<2.4.2", "critical", "CVE-2024-48910", POLLUTION],
      [
        "<2.5.4 || >=3.0.0 <3.1.3",
        "high",
        "CVE-2024-45801, CVE-2024-47875",
        `${XSS} that it lets pass where elements are nested deep`,
      ],
      ["<3.2.4", "medium", "CVE-2025-26791", `${XSS} that it lets pass in templates`],
    ],
  },
  {
    names: ["axios"],
    flaws: [
      ["<0.21.2", "high", "CVE-2021-3749", REDOS],
      [
        ">=0.8.1 <0.28.0 || >=1.0.0 <1.6.0",
        "medium",
        "CVE-2023-45857",
        "tells the token against forged requests to other sites",
      ],
      [
        "<0.30.0 || >=1.0.0 <1.8.2",
        "high",
        "CVE-2025-27152",
        "sends requests, with credentials, to another site that a path names",
      ],
    ],
    hijacked: [
      [
        "0.30.4 || 1.14.1",
        "critical",
        "reports of 2026-03-31",
        "installs a remote control on machines that build with it",
      ],
    ],
  },
  {
    names: ["prototype", "prototype-javascript-framework", "prototype.js"],
    flaws: [["<1.6.0.2", "medium", "CVE-2008-7220", "requests to other sites"]],
  },
  {
    names: ["dojo", "dojo-toolkit"],
    flaws: [
      ["<1.14.0", "critical", "CVE-2018-15494", `${XSS} through DataGrid`],
      [
        "<1.11.10 || >=1.12.0 <1.12.8 || >=1.13.0 <1.13.7 || >=1.14.0 <1.14.6 || >=1.15.0 <1.15.3 || >=1.16.0 <1.16.2",
        "high",
        "CVE-2020-5258",
        POLLUTION,
      ],
    ],
  },
  {
    names: ["yui", "yahoo-dom-event"],
    flaws: [[">=2.4.0 <2.9.1", "medium", "CVE-2012-5881, CVE-2012-5882", `${XSS} through its Flash files`]],
    ended: [["4.0.0", "2014-08-29"]],
  },
  {
    names: ["ckeditor", "ckeditor4"],
    flaws: [
      ["<4.4.3", "medium", "CVE-2014-5191", `${XSS} through the preview`],
      [">=4.5.11 <4.9.2", "medium", "CVE-2018-9861", `${XSS} through images`],
      [">=4.0.0 <4.11.0", "medium", "CVE-2018-17960", `${XSS} through pasted sources`],
      [">=4.0.0 <4.16.0", "medium", "CVE-2021-26271, CVE-2021-26272", REDOS],
      [">=4.0.0 <4.17.0", "high", "CVE-2021-41164, CVE-2021-41165", XSS],
      [">=4.0.0 <4.18.0", "medium", "CVE-2022-24728, CVE-2022-24729", XSS],
      [">=4.0.0 <4.24.0", "medium", "CVE-2024-24815, CVE-2024-24816", XSS],
    ],
    ended: [["5.0.0", "2023-06-30"]],
  },
  {
    names: ["tinymce", "tiny_mce"],
    flaws: [
      ["<4.9.7 || >=5.0.0 <5.1.4", "medium", "CVE-2020-17480", `${XSS} through pasted content`],
      ["<5.10.7 || >=6.0.0 <6.3.1", "medium", "CVE-2022-23494", `${XSS} through alerts`],
      ["<5.10.8 || >=6.0.0 <6.7.1", "medium", "CVE-2023-45818, CVE-2023-45819", `${XSS} through undo and notices`],
      ["<5.11.0 || >=6.0.0 <6.8.4 || >=7.0.0 <7.2.0", "medium", "CVE-2024-38356, CVE-2024-38357", XSS],
    ],
    ended: [["6.0.0", "2023-04-20"]],
  },
  {
    names: ["froala-editor", "froala_editor"],
    flaws: [["<3.0.6", "medium", "CVE-2019-19935", XSS]],
  },
  { names: ["select2"], flaws: [["<4.0.6", "medium", "CVE-2016-10744", `${XSS} through results`]] },
  {
    names: ["datatables", "datatables.net", "jquery.datatables"],
    flaws: [
      ["<1.10.9", "medium", "CVE-2015-6584", `${XSS} through an example that comes with it`],
      ["<1.10.22", "high", "CVE-2020-28458", POLLUTION],
      ["<1.11.3", "low", "CVE-2021-23445", `${XSS} through arrays`],
    ],
  },
  { names: ["chart.js", "chartjs"], flaws: [["<2.9.4", "high", "CVE-2020-7746", POLLUTION]] },
  {
    names: ["highcharts", "highcharts-js", "highstock"],
    flaws: [
      ["<6.1.0", "high", "CVE-2018-20801", REDOS],
      ["<9.0.0", "medium", "CVE-2021-29489", `${XSS} through options`],
    ],
  },
  {
    names: ["highlight.js", "highlightjs", "highlight"],
    flaws: [["<9.18.2 || >=10.0.0 <10.1.2", "medium", "CVE-2020-26237", POLLUTION]],
  },
  {
    names: ["prism", "prismjs"],
    flaws: [
      [">=1.1.0 <1.21.0", "high", "CVE-2020-15138", `${XSS} through previews`],
      ["<1.25.0", "high", "CVE-2021-23341, CVE-2021-32723, CVE-2021-3801", REDOS],
      [">=1.14.0 <1.27.0", "high", "CVE-2022-23647", `${XSS} through command lines`],
      ["<1.30.0", "medium", "CVE-2024-53382", "takes elements of the page for its own script"],
    ],
  },
  {
    names: ["video.js", "videojs"],
    flaws: [["<7.14.3", "medium", "CVE-2021-23414", `${XSS} through sources of tracks`]],
  },
  {
    names: ["plupload"],
    flaws: [
      ["<2.1.9", "medium", "CVE-2016-4566", `${XSS} through its Flash file`],
      ["<2.3.9", "medium", "CVE-2021-23562", `${XSS} through names of files`],
    ],
  },
  {
    names: ["jplayer", "jquery.jplayer"],
    flaws: [["<2.3.1", "medium", "CVE-2013-1942, CVE-2013-2022, CVE-2013-2023", `${XSS} through its Flash file`]],
  },
  {
    names: ["mediaelement", "mediaelement.js"],
    flaws: [["<2.21.1", "medium", "CVE-2016-4567", `${XSS} through its Flash file`]],
  },
  { names: ["zeroclipboard"], flaws: [["<1.3.2", "medium", "CVE-2014-1869", `${XSS} through its Flash file`]] },
  {
    names: ["easyxdm"],
    flaws: [
      ["<2.4.18", "medium", "CVE-2013-5212", XSS],
      ["<2.4.19", "medium", "CVE-2014-1403", XSS],
    ],
  },
  {
    names: ["pdf.js", "pdfjs", "pdfjs-dist"],
    flaws: [
      ["<1.10.100 || >=2.0.0 <2.0.550", "high", "CVE-2018-5158", "documents run scripts"],
      ["<4.2.67", "high", "CVE-2024-4367", "documents run scripts"],
    ],
  },
  {
    names: ["jspdf"],
    flaws: [
      ["<2.0.0", "medium", "CVE-2020-7690, CVE-2020-7691", XSS],
      ["<2.3.1", "high", "CVE-2021-23353", REDOS],
      ["<3.0.1", "high", "CVE-2025-29907", "images that keep it busy"],
    ],
  },
  {
    names: ["mermaid"],
    flaws: [
      ["<8.13.8", "medium", "CVE-2021-43861", `${XSS} through diagrams`],
      [">=8.0.0 <9.1.2", "medium", "CVE-2022-31108", "styles of a diagram for the whole page"],
    ],
  },
  { names: ["marked"], flaws: [["<4.0.10", "high", "CVE-2022-21680, CVE-2022-21681", REDOS]] },
  { names: ["markdown-it"], flaws: [["<12.3.2", "medium", "CVE-2022-21670", "texts that keep it busy"]] },
  { names: ["swiper"], flaws: [["<6.5.1", "high", "CVE-2021-23370", POLLUTION]] },
  {
    names: ["jszip"],
    flaws: [
      ["<3.7.0", "medium", "CVE-2021-23413", "names in archives that shadow those of objects"],
      ["<3.8.0", "high", "CVE-2022-48285", "names in archives that lead out of their folder"],
    ],
  },
  {
    names: ["xlsx", "sheetjs"],
    flaws: [
      ["<0.19.3", "high", "CVE-2023-30533", POLLUTION],
      ["<0.20.2", "high", "CVE-2024-22363", REDOS],
    ],
  },
  { names: ["mathjax"], flaws: [["<2.7.4", "medium", "CVE-2018-1999024", `${XSS} through \\unicode`]] },
  {
    names: ["katex"],
    flaws: [
      [
        ">=0.12.0 <0.16.10",
        "medium",
        "CVE-2024-28243, CVE-2024-28245",
        "formulas that keep it busy, and markup in them",
      ],
      [">=0.12.0 <0.16.21", "medium", "CVE-2025-23207", `${XSS} through \\htmlData`],
    ],
  },
  { names: ["codemirror"], flaws: [["<5.58.2", "medium", "CVE-2020-7760", REDOS]] },
  {
    names: ["xterm", "xterm.js"],
    flaws: [["<3.8.1 || >=3.9.0 <3.9.2 || >=3.10.0 <3.10.1", "high", "CVE-2019-0542", "output that runs as input"]],
  },
  { names: ["gsap"], flaws: [["<3.6.0", "high", "CVE-2020-28478", POLLUTION]] },
  { names: ["three", "three.js"], flaws: [["<0.125.0", "high", "CVE-2020-28496", REDOS]] },
  { names: ["immer"], flaws: [["<9.0.6", "critical", "CVE-2020-28477, CVE-2021-23436", POLLUTION]] },
  { names: ["crypto-js"], flaws: [["<4.2.0", "critical", "CVE-2023-46233", "derives keys in one round of SHA-1"]] },
  {
    names: ["jsrsasign"],
    flaws: [
      ["<10.5.25", "high", "CVE-2022-25898", "takes forged signatures of tokens"],
      ["<11.0.0", "high", "CVE-2024-21484", "tells plain texts of RSA by its time"],
    ],
  },
  {
    names: ["node-forge", "forge"],
    flaws: [["<1.3.0", "high", "CVE-2022-24771, CVE-2022-24772", "takes forged RSA signatures"]],
  },
  { names: ["json5"], flaws: [["<1.0.2 || >=2.0.0 <2.2.2", "high", "CVE-2022-46175", POLLUTION]] },
  { names: ["require", "requirejs", "require.js"], flaws: [["<2.3.7", "high", "CVE-2024-38999", POLLUTION]] },
  {
    names: ["ua-parser-js", "ua-parser"],
    flaws: [["<0.7.33 || >=0.8.1 <1.0.33", "high", "CVE-2022-25927", REDOS]],
    hijacked: [
      ["0.7.29 || 0.8.0 || 1.0.0", "critical", "GHSA-pjwm-rvh2-c87w", "loads a miner and a thief of passwords"],
    ],
  },
  {
    names: ["@lottiefiles/lottie-player", "lottie-player"],
    hijacked: [[">=2.0.5 <2.0.8", "critical", "the project's notice of 2024-10-31", "asks visitors for their wallets"]],
  },
  {
    names: ["@solana/web3.js"],
    hijacked: [["1.95.6 || 1.95.7", "critical", "CVE-2024-54134", "sends private keys away"]],
  },
  { names: ["color"], hijacked: [["5.0.1", "critical", "CVE-2025-59143", "turns payments to other wallets"]] },
  { names: ["color-name"], hijacked: [["2.0.1", "critical", "CVE-2025-59145", "turns payments to other wallets"]] },
  { names: ["debug"], hijacked: [["4.4.2", "critical", "CVE-2025-59144", "turns payments to other wallets"]] },
  { names: ["chalk"], hijacked: [["5.6.1", "critical", "GHSA-2v46-p5h4-248w", "turns payments to other wallets"]] },
];

const RCE = "code of an attacker runs";
const DENIAL = "requests that keep it busy, or end it";
const SMUGGLING = "requests that proxies read otherwise";
const LEAK = "tells memory or files";

/** Products of servers, as headers name them. */
export const PRODUCTS: readonly Facts[] = [
  {
    names: ["apache", "apache-httpd", "httpd"],
    flaws: [
      [
        "<2.2.33 || >=2.4.0 <2.4.26",
        "critical",
        "CVE-2017-3167, CVE-2017-3169, CVE-2017-7679",
        "ways around authentication, and reads past its buffers",
      ],
      ["2.4.49", "critical", "CVE-2021-41773", "paths that lead out of the folder, and with CGI code that runs"],
      [
        "2.4.49 || 2.4.50",
        "critical",
        "CVE-2021-42013",
        "paths that lead out of the folder, and with CGI code that runs",
      ],
      [">=2.4.0 <2.4.49", "critical", "CVE-2021-40438", "a request says where mod_proxy sends it"],
      [">=2.4.0 <2.4.52", "critical", "CVE-2021-44790", `${RCE} through mod_lua`],
      [">=2.4.0 <2.4.56", "critical", "CVE-2023-25690", SMUGGLING],
      [
        ">=2.4.0 <2.4.60",
        "critical",
        "CVE-2024-38474, CVE-2024-38475, CVE-2024-38476",
        "rewritten paths that lead to code and files",
      ],
    ],
    ended: [["2.4.0", "2018-01-01"]],
  },
  {
    names: ["nginx"],
    flaws: [
      [">=1.3.9 <1.4.1", "high", "CVE-2013-2028", RCE],
      [">=0.5.6 <1.12.1 || >=1.13.0 <1.13.3", "high", "CVE-2017-7529", LEAK],
      [">=1.9.5 <1.14.1 || >=1.15.0 <1.15.6", "high", "CVE-2018-16843, CVE-2018-16844", DENIAL],
      [">=1.9.5 <1.16.1 || >=1.17.0 <1.17.3", "high", "CVE-2019-9511, CVE-2019-9513, CVE-2019-9516", DENIAL],
      [">=0.6.18 <1.20.1", "high", "CVE-2021-23017", `${RCE} through answers of a resolver`],
      [">=1.1.3 <1.22.1 || >=1.23.0 <1.23.2", "high", "CVE-2022-41741, CVE-2022-41742", `${LEAK} through films`],
    ],
    ended: [["1.22.0", "2023-05-23"]],
  },
  { names: ["openresty"], flaws: [["<1.19.3.2", "high", "CVE-2021-23017", `${RCE} through answers of a resolver`]] },
  {
    names: ["microsoft-iis", "iis"],
    flaws: [["6.0", "critical", "CVE-2017-7269", `${RCE} through WebDAV`]],
    ended: [
      ["7.0", "2015-07-14"],
      ["8.0", "2020-01-14"],
      ["10.0", "2023-10-10"],
    ],
  },
  {
    names: ["php"],
    flaws: [
      ["<5.3.12 || >=5.4.0 <5.4.2", "high", "CVE-2012-1823", `${RCE} where it runs as CGI`],
      [
        ">=7.1.0 <7.1.33 || >=7.2.0 <7.2.24 || >=7.3.0 <7.3.11",
        "critical",
        "CVE-2019-11043",
        `${RCE} where it runs as FPM behind nginx`,
      ],
      [
        ">=8.1.0 <8.1.29 || >=8.2.0 <8.2.20 || >=8.3.0 <8.3.8",
        "critical",
        "CVE-2024-4577",
        `${RCE} where it runs as CGI on Windows`,
      ],
    ],
    ended: [
      ["7.0.0", "2018-12-31"],
      ["8.0.0", "2022-11-28"],
      ["8.1.0", "2023-11-26"],
      ["8.2.0", "2025-12-31"],
      ["8.3.0", "2026-12-31"],
    ],
    hijacked: [
      [
        "8.1.0-dev",
        "critical",
        "https://news-web.php.net/php.internals/113838",
        "runs what a header says, which somebody put into its sources",
      ],
    ],
  },
  {
    names: ["openssl"],
    flaws: [
      [">=1.0.1 <1.0.1g", "high", "CVE-2014-0160", `${LEAK}: Heartbleed`],
      [">=1.1.1 <1.1.1k", "medium", "CVE-2021-3449", DENIAL],
      [">=1.1.1 <1.1.1n || >=3.0.0 <3.0.2", "high", "CVE-2022-0778", DENIAL],
      [">=3.0.0 <3.0.7", "high", "CVE-2022-3602, CVE-2022-3786", "writes past a buffer"],
    ],
    ended: [
      ["1.1.1", "2019-12-31"],
      ["3.0.0", "2023-09-11"],
    ],
  },
  {
    names: ["tomcat", "apache-tomcat"],
    flaws: [
      ["<7.0.100 || >=8.0.0 <8.5.51 || >=9.0.0 <9.0.31", "critical", "CVE-2020-1938", `${LEAK} through AJP: Ghostcat`],
      [
        ">=9.0.0 <9.0.99 || >=10.1.0 <10.1.35 || >=11.0.0 <11.0.3",
        "critical",
        "CVE-2025-24813",
        `${RCE} through partial PUT`,
      ],
    ],
    ended: [["9.0.0", "2024-03-31"]],
  },
  {
    names: ["jetty"],
    flaws: [
      ["<9.2.25 || >=9.3.0 <9.3.24 || >=9.4.0 <9.4.11", "critical", "CVE-2017-7657, CVE-2017-7658", SMUGGLING],
      [">=9.4.37 <9.4.43 || >=10.0.1 <10.0.6 || >=11.0.1 <11.0.6", "medium", "CVE-2021-34429", `${LEAK} below WEB-INF`],
      [
        ">=9.3.0 <9.4.53 || >=10.0.0 <10.0.17 || >=11.0.0 <11.0.17 || >=12.0.0 <12.0.2",
        "high",
        "CVE-2023-44487",
        DENIAL,
      ],
    ],
    ended: [["9.4.0", "2020-07-01"]],
  },
  {
    names: ["werkzeug"],
    flaws: [
      ["<2.2.3", "high", "CVE-2023-25577", DENIAL],
      ["<2.3.8 || 3.0.0", "high", "CVE-2023-46136", DENIAL],
      ["<3.0.3", "high", "CVE-2024-34069", `${RCE} through its debugger`],
    ],
  },
  {
    names: ["gunicorn"],
    flaws: [
      ["<19.5.0", "high", "CVE-2018-1000164", "line ends in headers"],
      ["<22.0.0", "high", "CVE-2024-1135", SMUGGLING],
      ["<23.0.0", "high", "CVE-2024-6827", SMUGGLING],
    ],
  },
  {
    names: ["waitress"],
    flaws: [
      ["<1.4.0", "high", "CVE-2019-16785, CVE-2019-16786", SMUGGLING],
      ["<2.1.1", "high", "CVE-2022-24761", SMUGGLING],
    ],
  },
  {
    names: ["tornadoserver", "tornado"],
    flaws: [
      ["<6.3.2", "medium", "CVE-2023-28370", "leads to other sites"],
      ["<6.4.2", "high", "CVE-2024-52804", DENIAL],
      ["<6.5.0", "high", "CVE-2025-47287", DENIAL],
    ],
  },
  {
    names: ["twistedweb", "twisted"],
    flaws: [
      ["<20.3.0", "critical", "CVE-2020-10108, CVE-2020-10109", SMUGGLING],
      ["<22.4.0", "high", "CVE-2022-24801", SMUGGLING],
    ],
  },
  {
    names: ["aiohttp"],
    flaws: [
      [">=1.0.5 <3.9.2", "high", "CVE-2024-23334", "paths that lead out of the folder"],
      ["<3.9.4", "high", "CVE-2024-30251", DENIAL],
    ],
  },
  {
    names: ["python", "cpython"],
    ended: [
      ["3.0", "2020-01-01"],
      ["3.8", "2023-06-27"],
      ["3.9", "2024-10-07"],
      ["3.10", "2025-10-31"],
    ],
  },
  { names: ["webrick"], flaws: [["<1.6.1", "high", "CVE-2020-25613", SMUGGLING]] },
  {
    names: ["passenger", "phusion_passenger"],
    flaws: [["<5.3.2", "high", "CVE-2018-12026, CVE-2018-12029", "rights that are higher"]],
  },
  {
    names: ["lighttpd"],
    flaws: [
      ["<1.4.35", "critical", "CVE-2014-2323", "queries of a database in a host's name"],
      ["<1.4.50", "high", "CVE-2018-19052", "paths that lead out of the folder"],
      [">=1.4.46 <1.4.64", "medium", "CVE-2022-22707", DENIAL],
    ],
  },
  { names: ["mod_jk"], flaws: [["<1.2.46", "high", "CVE-2018-11759", "ways around rules for paths"]] },
  { names: ["mod_wsgi"], flaws: [["<4.9.3", "high", "CVE-2022-2255", "believes a client's header"]] },
  { names: ["jenkins"], flaws: [["<2.426.3 || >=2.427 <2.442", "critical", "CVE-2024-23897", LEAK]] },
  {
    names: ["kbn", "kibana"],
    flaws: [["<5.6.15 || >=6.0.0 <6.6.1", "critical", "CVE-2019-7609", `${RCE} through Timelion`]],
  },
  { names: ["influxdb"], flaws: [["<1.7.6", "critical", "CVE-2019-20933", "takes tokens signed with nothing"]] },
  {
    names: ["couchdb"],
    flaws: [
      [
        "<1.7.0 || >=2.0.0 <2.1.1",
        "critical",
        "CVE-2017-12635, CVE-2017-12636",
        "a user makes himself an administrator, and runs code",
      ],
      ["<3.2.2", "critical", "CVE-2022-24706", `${RCE} by a cookie that is known`],
    ],
  },
  {
    names: ["nexus"],
    flaws: [
      [">=3.0.0 <3.15.0", "critical", "CVE-2019-7238", RCE],
      [">=3.0.0 <3.21.2", "critical", "CVE-2020-10199, CVE-2020-10204", RCE],
      [">=3.0.0 <3.68.1", "high", "CVE-2024-4956", LEAK],
    ],
  },
  { names: ["hfs"], flaws: [["<3.0.0", "critical", "CVE-2014-6287, CVE-2024-23692", RCE]] },
  { names: ["boa"], ended: [["1.0.0", "2005-02-23"]] },
  { names: ["icecast"], flaws: [["<2.4.4", "high", "CVE-2018-18820", RCE]] },
  {
    names: ["squid"],
    flaws: [
      ["<4.11 || >=5.0.0 <5.0.2", "critical", "CVE-2020-11945", RCE],
      ["<6.4", "high", "CVE-2023-46846", SMUGGLING],
    ],
  },
  { names: ["ats", "apache-traffic-server"], flaws: [["<8.1.9 || >=9.0.0 <9.2.3", "high", "CVE-2023-44487", DENIAL]] },
  {
    names: ["next.js", "nextjs"],
    flaws: [
      [
        ">=11.1.4 <12.3.5 || >=13.0.0 <13.5.9 || >=14.0.0 <14.2.25 || >=15.0.0 <15.2.3",
        "critical",
        "CVE-2025-29927",
        "a header of a client's skips the middleware",
      ],
    ],
  },
  {
    names: ["drupal"],
    flaws: [
      [
        "<7.58 || >=8.0.0 <8.3.9 || >=8.4.0 <8.4.6 || >=8.5.0 <8.5.1",
        "critical",
        "CVE-2018-7600",
        `${RCE}: Drupalgeddon`,
      ],
    ],
    ended: [
      ["7.0", "2016-02-24"],
      ["10.0.0", "2025-01-05"],
    ],
  },
  {
    names: ["wordpress"],
    flaws: [
      [">=4.7.0 <4.7.2", "critical", "CVE-2017-1001000", "anybody changes texts"],
      [">=5.0.0 <5.0.1", "high", "CVE-2019-8942, CVE-2019-8943", `${RCE} of authors`],
      [">=5.8.0 <5.8.3", "high", "CVE-2022-21661", "queries of its database in those of plugins"],
    ],
    ended: [["4.1", "2022-12-01"]],
  },
  {
    names: ["ghost"],
    flaws: [
      [">=4.46.0 <4.48.8 || >=5.0.0 <5.22.7", "high", "CVE-2022-41654", "members change newsletters"],
      ["<5.59.1", "medium", "CVE-2023-40028", LEAK],
    ],
  },
  { names: ["typo3"], ended: [["11.0", "2023-04-30"]] },
  { names: ["mediawiki"], ended: [["1.39.0", "2023-12-31"]] },
];

/** Domains from which scripts came that their pages had not asked for; hosts below them count. */
export const HIJACKED_DOMAINS: readonly (readonly [domains: readonly string[], what: string, source: string])[] = [
  [
    ["polyfill.io", "polyfill.com", "bootcdn.net", "bootcss.com", "staticfile.net", "staticfile.org", "unionadjs.com"],
    "its owner since 2024 sends visitors elsewhere",
    "https://sansec.io/research/polyfill-supply-chain-attack",
  ],
  [
    ["xhsbpza.com", "union.macoms.la", "newcrbpc.com", "googie-anaiytics.com", "kuurza.com"],
    "loaded by scripts of hijacked libraries",
    "https://sansec.io/research/polyfill-supply-chain-attack",
  ],
  [
    ["magentocore.net", "baways.com", "neweggstats.com", "webfotce.me"],
    "took the cards of customers",
    "https://sansec.io/what-is-magecart",
  ],
  [
    ["coinhive.com", "coin-hive.com", "authedmine.com", "crypto-loot.com", "cryptoloot.pro", "webminepool.com"],
    "a miner that pages were made to load, on domains that others may have now",
    "https://www.troyhunt.com/i-now-own-the-coinhive-domain-heres-how-im-fighting-cryptojacking-and-doing-good-things-with-content-security-policies/",
  ],
];

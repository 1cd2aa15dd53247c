/** The page's one style sheet. Colours are named once for light and once for dark. */
export const style = `
:root{color-scheme:light dark;--paper:#fbfaf7;--ink:#1f2328;--soft:#5d646c;--line:#dedbd2;--card:#f3f1ea;--accent:#7a3e12;
--legacy:#c17a1f;--overlay:#7b5ea7;--modern:#1f7a72;--config:#9aa3ab;--table:#cfd3d6;--none:#e6e3da;--new:#a98fd0;--choice:#cdbbe6;--ports:#c17a1f;--memory:#1f7a72;--fixed:#4f6a86;--edge:rgba(0,0,0,.16)}
@media (prefers-color-scheme:dark){:root{--paper:#15181b;--ink:#e4e3de;--soft:#9ba3aa;--line:#32373c;--card:#1e2226;--accent:#e2a76f;
--legacy:#d99a48;--overlay:#a68bd4;--modern:#4fb3a7;--config:#77818a;--table:#4b535a;--none:#2a2f34;--new:#7f64ad;--choice:#5a477d;--ports:#d99a48;--memory:#4fb3a7;--fixed:#7d9cbd;--edge:rgba(0,0,0,.6)}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:1rem/1.6 ui-serif,Georgia,"DejaVu Serif",serif;overflow-wrap:break-word}
main,header,footer{max-width:50rem;margin:0 auto;padding:0 1.1rem}
header{padding-top:3.2rem}
h1{font-size:clamp(1.9rem,6vw,2.9rem);line-height:1.12;letter-spacing:-.015em;margin:0 0 .8rem;font-weight:600}
h2{font-size:1.5rem;line-height:1.25;margin:3.6rem 0 .7rem;padding-top:1.1rem;border-top:1px solid var(--line);font-weight:600}
h3{font-size:1.08rem;margin:2rem 0 .4rem;font-weight:600}
p{margin:.7rem 0}
.lede{font-size:1.15rem;color:var(--soft);max-width:42rem}
a{color:inherit;text-decoration-color:var(--soft);text-underline-offset:.2em}
nav,.tiles,.bars,.legend,table,.repeat,.strip,.chart,.claim .who,figcaption,small,.mark{font-family:ui-sans-serif,system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif;font-variant-numeric:tabular-nums}
code{font:.86em ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
nav{font-size:.9rem;margin:1.6rem 0 0}
nav ol{list-style:none;display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;padding:0;margin:0}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(10.5rem,1fr));gap:.9rem;margin:2.2rem 0 0}
.tiles div{background:var(--card);border-radius:.6rem;padding:1rem 1.1rem}
.tiles b{display:block;white-space:nowrap;font-size:1.5rem;line-height:1.15;font-weight:600;letter-spacing:-.01em}
.tiles b i{font-style:normal;color:var(--soft);font-weight:400;font-size:.62em;padding:0 .2em}
.tiles span{display:block;font-size:.85rem;line-height:1.4;color:var(--soft);margin-top:.35rem}
.bars{margin:1.2rem 0}
.bars h4{font-size:.84rem;color:var(--soft);font-weight:600;margin:1rem 0 .1rem}
.bar{display:grid;grid-template-columns:minmax(8rem,14rem) 1fr 6.2rem;gap:.1rem .9rem;align-items:center;padding:.32rem 0}
.bar svg{width:100%;height:1rem;display:block;border-radius:.15rem}
.bar .label{font-size:.9rem;line-height:1.25}
.bar .total{font-size:.9rem;text-align:left;white-space:nowrap}
small{display:block;font-size:.76rem;color:var(--soft);line-height:1.3}
@media (max-width:36rem){.bar{grid-template-columns:1fr auto}.bar .label{grid-column:1/3}.bar{padding:.4rem 0}}
.legend{font-size:.84rem;color:var(--soft);display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;margin:.6rem 0}
.legend i{display:inline-block;width:.8rem;height:.8rem;border-radius:.15rem;margin-right:.4rem;vertical-align:-.08rem}
.legacy{fill:var(--legacy);background:var(--legacy)}.overlay{fill:var(--overlay);background:var(--overlay)}.modern{fill:var(--modern);background:var(--modern)}
.config{fill:var(--config);background:var(--config)}.msix{fill:var(--table);background:var(--table)}.none{fill:var(--none);background:var(--none)}
.ports{fill:var(--ports);background:var(--ports)}.memory{fill:var(--memory);background:var(--memory)}.new{fill:var(--new);background:var(--new)}.choice{fill:var(--choice);background:var(--choice)}.fixed{fill:var(--fixed);background:var(--fixed)}
.table{overflow-x:auto;margin:1.1rem 0;-webkit-overflow-scrolling:touch;background:
linear-gradient(to right,var(--paper) 40%,transparent) 0 0/2.4rem 100% no-repeat local,linear-gradient(to left,var(--paper) 40%,transparent) 100% 0/2.4rem 100% no-repeat local,
linear-gradient(to right,var(--edge),transparent) 0 0/.7rem 100% no-repeat scroll,linear-gradient(to left,var(--edge),transparent) 100% 0/.7rem 100% no-repeat scroll}
table{border-collapse:collapse;font-size:.86rem;line-height:1.35;width:100%}
caption{text-align:left;color:var(--soft);font-size:.82rem;padding-bottom:.35rem}
th{font-weight:500;color:var(--soft);text-align:left;vertical-align:bottom;padding:.3rem .7rem .3rem 0;border-bottom:1px solid var(--line)}
td{padding:.34rem .7rem .34rem 0;border-bottom:1px solid var(--line);vertical-align:top}
.n{text-align:right;padding-right:0;padding-left:.7rem;white-space:nowrap}
tr.group td{padding-top:1.1rem;color:var(--soft);font-size:.8rem;text-transform:none;font-weight:600}
td.n{font-variant-numeric:tabular-nums}
.yes{color:var(--modern);font-weight:600}.no{color:var(--soft)}
.repeat{display:grid;grid-template-columns:auto 1fr;gap:.2rem .8rem;font-size:.82rem;line-height:1.5;color:var(--soft);border-left:2px solid var(--line);padding:.1rem 0 .1rem .9rem;margin:1.3rem 0}
.repeat span{font-weight:600}
.repeat div>code{display:block;color:var(--ink)}
.repeat p{margin:.2rem 0 0}
.strip{margin:1.2rem 0;font-size:.88rem}
.strip .row{display:grid;grid-template-columns:13rem 1fr;gap:.15rem .9rem;align-items:center;padding:.22rem 0}
.strip svg{width:100%;height:1.5rem;display:block;border-radius:.2rem}
.strip svg rect{stroke:var(--paper);stroke-width:1;vector-effect:non-scaling-stroke}
.strip .axis{position:relative;height:1.1rem;color:var(--soft);font-size:.72rem}
.strip .axis b{position:absolute;font-weight:400;transform:translateX(-50%)}
.strip .axis b:first-child{transform:none}
@media (max-width:36rem){.strip .row{grid-template-columns:1fr}.strip .row>.empty{display:none}}
.chart{margin:1.3rem 0}
.chart svg{display:block;width:100%;max-width:38rem;height:auto;overflow:visible}
.chart text{font:9px ui-sans-serif,system-ui,"DejaVu Sans",sans-serif;fill:var(--soft)}
.chart text.k{fill:var(--ink);font-weight:600}
.chart .grid{stroke:var(--line);stroke-width:.7;fill:none}
.chart path{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
.l-legacy{stroke:var(--legacy)}.l-overlay{stroke:var(--overlay)}.l-modern{stroke:var(--modern)}.l-none{stroke:var(--soft);stroke-dasharray:2 4}
figcaption{font-size:.84rem;color:var(--soft);line-height:1.45;margin-top:.5rem}
.claim{background:var(--card);border-radius:.7rem;padding:1.1rem 1.2rem 1rem;margin:1.1rem 0}
.claim .who{font-size:.8rem;color:var(--soft)}
.claim h3{margin:.15rem 0 .5rem}
.claim dl{margin:0}.claim dt{font:600 .8rem ui-sans-serif,system-ui,"DejaVu Sans",sans-serif;color:var(--soft);margin-top:.7rem}.claim dd{margin:.1rem 0 0}
.mark{font-size:.74rem;border:1px solid var(--line);border-radius:1rem;padding:.08rem .55rem;margin-left:.4rem;white-space:nowrap}
footer{color:var(--soft);font-size:.9rem;padding-bottom:4rem;margin-top:3rem}
`;

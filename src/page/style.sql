-- Colours are names, so that the dark page is another list of them; what is
-- printed is the light one.
CREATE FUNCTION pgpool_stats.get_page_style()
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT '
:root{color-scheme:light dark;--bg:#fff;--fg:#1b2330;--dim:#566171;--line:#e1e5ea;--soft:#f4f6f8;--link:#1a5cb0;
--bad:#b3261e;--badbg:#fdeceb;--warn:#7a4e00;--warnbg:#fff2d6;--ok:#1a6b3a;--okbg:#e5f4ea;--pale:#d6e4f5;
--c1:#dd9c00;--c2:#d1453b;--c3:#e58fab;--c4:#3f82d2;--c5:#8d63c8;--c6:#8a97a6;--c7:#35a062;--c8:#b3bfcb}
@media screen and (prefers-color-scheme:dark){:root{--bg:#11151b;--fg:#e3e8ee;--dim:#9ba7b5;--line:#2b323d;--soft:#1a2029;--link:#8db9ff;
--bad:#ff9389;--badbg:#40191a;--warn:#f3c552;--warnbg:#372a0c;--ok:#83d69e;--okbg:#13301f;--pale:#21354f;--c8:#66727f}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:76rem;padding:.75rem 1.25rem 4rem;background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
h1{font-size:1.7rem;line-height:1.2;margin:.1rem 1rem .1rem 0}h1,h1+p{display:inline-block}
h2{font-size:1.2rem;line-height:1.3;margin:1.25rem 0 .35rem}header+main h2{margin-top:1rem}
h3{font-size:1.05rem;margin:0 0 .4rem}
h3 small,h2 small{font-weight:400}
p{margin:.25rem 0}
ol,ul,dl,dd,figure{margin:0;padding:0;list-style:none}
a{color:var(--link);text-underline-offset:.15em}
a:focus-visible,.scroll:focus-visible{outline:3px solid var(--link);outline-offset:2px;border-radius:3px}
small,.note,em{color:var(--dim);font-size:.86rem;font-style:normal}
b{font-weight:600}
.skip{position:absolute;left:-99rem}.skip:focus{position:static}
.meta{color:var(--dim);font-size:.86rem;line-height:1.35}
.said{color:var(--warn)}
nav{display:flex;flex-wrap:wrap;gap:.1rem 1.1rem;margin:.3rem 0 0;font-size:.92rem}
.st{display:inline-block;border-radius:99px;padding:.05rem .55rem;font-size:.86rem;font-weight:600;white-space:nowrap;background:var(--okbg);color:var(--ok)}
.st.bad{background:var(--badbg);color:var(--bad)}.st.warn{background:var(--warnbg);color:var(--warn)}.st.dim{background:var(--soft);color:var(--dim)}
.slots{position:relative;margin:1.6rem 0}
.bar{display:flex;height:2.2rem;border-radius:6px;overflow:hidden;background:var(--soft);box-shadow:inset 0 0 0 1px var(--line)}
.seg{--c:var(--c4);height:100%;min-width:2px;border-right:1px solid var(--bg);overflow:hidden;white-space:nowrap;font-size:.82rem;
background:linear-gradient(var(--c),var(--c)) left bottom/var(--l,0%) .7rem no-repeat,var(--pale)}
.seg span{display:block;padding:.1rem .4rem;overflow:hidden;text-overflow:clip}
.seg.warn{--c:var(--c1);background-color:var(--warnbg)}.seg.bad{--c:var(--c2);background-color:var(--badbg)}.seg.dim{background-color:var(--line)}
.mark{position:absolute;top:-.35rem;bottom:-.35rem;border-left:2px solid var(--fg);font-size:.82rem;white-space:nowrap}
.mark span{position:absolute;left:-2px;top:-1.4rem}.mark.under span{top:auto;bottom:-1.4rem}.mark.left{margin-left:-2px}.mark.left span{left:auto;right:0}
.mark.under{border-left-style:dashed}
.who{display:flex;flex-wrap:wrap;gap:0 1.2rem;font-size:.92rem;line-height:1.45}
.who i{display:inline-block;width:.7rem;height:.7rem;border-radius:2px;margin-right:.35rem;background:var(--c4)}
.who i.warn{background:var(--c1)}.who i.bad{background:var(--c2)}.who i.dim{background:var(--line)}
.alerts li{display:grid;grid-template-columns:5.5rem 1fr;gap:0 .75rem;padding:.2rem .75rem;margin:.25rem 0;border-left:4px solid var(--c1);background:var(--soft);border-radius:0 6px 6px 0;line-height:1.33}
.alerts li.bad{border-color:var(--c2)}.alerts li.dim{border-color:var(--c8)}
.alerts b{color:var(--warn)}.alerts .bad b{color:var(--bad)}.alerts .dim b{color:var(--dim)}
.alerts q{display:block}
q::before,q::after{content:none}
.pools li{display:grid;grid-template-columns:1.3fr 1.25fr 1.9fr .7fr 1.4fr 2fr;gap:.15rem 1rem;align-items:center;padding:.35rem .5rem .45rem .75rem;border-top:1px solid var(--line);border-left:4px solid transparent}
.pools li.bad{border-left-color:var(--c2)}.pools li.warn{border-left-color:var(--c1)}
.pools .name a{font-weight:600}
.gauge{display:inline-block;vertical-align:middle;width:3.5rem;height:.6rem;margin-right:.45rem;border-radius:3px;background:linear-gradient(var(--c4),var(--c4)) left/var(--l) 100% no-repeat,var(--pale)}
.bad>.use .gauge,.warn>.use .gauge{background:linear-gradient(var(--c2),var(--c2)) left/var(--l) 100% no-repeat,var(--pale)}
svg{display:block;width:100%;height:4.5rem;background:linear-gradient(90deg,var(--line) 1px,transparent 1px) 0/25% 100%,var(--soft);border-radius:3px}
svg.strip{height:1.5rem}
.strips{display:grid;grid-template-columns:3fr 2fr;gap:.4rem}.strips .h:only-child,.strips small{grid-column:1/-1}
.c1{fill:var(--c1)}.c2{fill:var(--c2)}.c3{fill:var(--c3)}.c4{fill:var(--c4)}.c5{fill:var(--c5)}.c6{fill:var(--c6)}.c7{fill:var(--c7)}.c8{fill:var(--c8)}
path.cap{fill:none;stroke:var(--fg);stroke-dasharray:4 3;vector-effect:non-scaling-stroke}
figure i{white-space:nowrap;font-style:normal}figure p i{margin-right:.4rem}
figure i::before{content:"";display:inline-block;width:.7rem;height:.7rem;border-radius:2px;margin-right:.3rem;background:var(--c)}
i.c1{--c:var(--c1)}i.c2{--c:var(--c2)}i.c3{--c:var(--c3)}i.c4{--c:var(--c4)}i.c5{--c:var(--c5)}i.c6{--c:var(--c6)}i.c7{--c:var(--c7)}i.c8{--c:var(--c8)}
i.cap::before{height:0;border-top:2px dashed var(--fg);vertical-align:middle;border-radius:0}
.pool{border:1px solid var(--line);border-top:3px solid var(--line);border-radius:6px;padding:.8rem 1rem;margin:1rem 0;scroll-margin-top:.5rem}
.pool.bad{border-top-color:var(--c2)}.pool.warn{border-top-color:var(--c1)}
.pool .said{margin:0 0 .4rem}.pool.bad .said{color:var(--bad)}
dl{display:flex;flex-wrap:wrap;gap:.2rem 1.6rem;margin:.3rem 0}
dt{color:var(--dim);font-size:.8rem;line-height:1.2}
dd{line-height:1.35}
.inst{font-size:.9rem}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(20rem,100%),1fr));gap:0 1.4rem}.charts>p{grid-column:1/-1;margin:.6rem 0 .2rem;font-size:.86rem;font-weight:600}
.frames{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(24rem,100%),1fr));gap:0 1.4rem}
figure{display:grid;grid-template-rows:subgrid;grid-row:span 4;font-size:.86rem}
figcaption{font-weight:600;margin-bottom:.2rem}figcaption b{display:block;font-weight:400;color:var(--dim)}
.at{white-space:nowrap}
figure::after{order:1;color:var(--dim);font-size:.75rem;line-height:1.3;white-space:nowrap;text-align:justify;text-align-last:justify}
figure p{order:2;color:var(--dim);margin:0}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-size:.86rem;width:100%}
th,td{text-align:right;padding:.3rem .6rem;border-bottom:1px solid var(--line);vertical-align:baseline;white-space:nowrap}
thead th{color:var(--dim);font-weight:400;white-space:normal}
th:first-child{text-align:left;font-weight:600;padding-left:0;white-space:normal;min-width:8rem}
.text td{text-align:left}
td .gauge{width:2.5rem;margin:0 0 0 .3rem}
.times li{display:grid;grid-template-columns:7.5rem 9rem 12rem 1fr;gap:.1rem 1rem;padding:.4rem 0;border-top:1px solid var(--line);align-items:baseline}
.times small{display:inline}
.span{height:.7rem;border-radius:3px;align-self:center;background:var(--soft);position:relative;overflow:hidden}
.span::after{content:"";position:absolute;top:0;bottom:0;left:min(var(--a)*.1%,100% - 4px);width:max(var(--l)*.1%,4px);background:var(--c1)}
.bad .span::after{background:var(--c2)}
.times em{font-weight:600;color:var(--warn)}.times .bad em{color:var(--bad)}
.chains li{display:flex;gap:1.6rem;margin:.6rem 0}
.chains div{flex:1;position:relative;border:1px solid var(--line);border-radius:6px;padding:.4rem .7rem;background:var(--soft)}
.chains div small,.chains div b{display:block}
.chains div+div::before{content:"";position:absolute;left:-1.65rem;top:50%;width:1.55rem;border-top:2px solid var(--dim)}
.chains .here{border-color:var(--c2);background:var(--badbg)}.chains strong{color:var(--bad);display:block}
@media (max-width:52rem){
.pools li{grid-template-columns:1fr 1fr}.pools .name{grid-column:1}.strips,.pools .why{grid-column:1/-1}
.times li{grid-template-columns:1fr 1fr}.times .span,.times span{grid-column:1/-1}
.alerts li{grid-template-columns:1fr}
.seg span{visibility:hidden}
.chains li{flex-direction:column}.chains div+div::before{left:1.2rem;top:-1.65rem;width:0;height:1.6rem;border-left:2px solid var(--dim)}
}
details>summary{cursor:pointer;color:var(--link);padding:.2rem 0}summary:focus-visible{outline:3px solid var(--link)}
@media print{
details::details-content{content-visibility:visible;block-size:auto}summary{display:none}
html{font-size:12px}body{max-width:none;padding:0;font-size:.95rem;print-color-adjust:exact;-webkit-print-color-adjust:exact}
nav,.skip{display:none}a{color:inherit;text-decoration:none}
.pool,.alerts li,.pools li,.times li,.chains li,tr{break-inside:avoid}h2,h3{break-after:avoid}
.scroll{overflow:visible}table{font-size:.75rem}th,td{padding:.2rem .25rem;white-space:normal}th:first-child{min-width:0}
.charts{grid-template-columns:repeat(3,1fr)}svg{height:3.5rem}svg.strip{height:1.2rem}
}
';
END;
COMMENT ON FUNCTION pgpool_stats.get_page_style() IS
	'behind report_html: how it looks';

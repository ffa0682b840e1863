// usage: ab.local.mts TEST SLICES SAMPLE label=wasm|bare|floor ...
import { compilePolicy } from "../policy/compile.ts"; import { policyFrom } from "../policy/load.ts";
import { resolveEnvoy } from "../envoy/resolve.ts"; import { startEnvoy } from "../envoy/start.ts";
import { startGenerator, startUpstream } from "./children.ts"; import { onCpuNanos } from "./proc.ts"; import { payloadOf } from "./payloads.ts"; import { modulePath } from "../package.ts";
const [test,slices,sample,...vs]=process.argv.slice(2);
const found=await resolveEnvoy({env:process.env,backend:"process",progress:()=>{}} as never);
const up=await startUpstream(process.env.PAGES as never ?? "same"); const gen=startGenerator(); const P:any[]=[];
const payload=payloadOf(test as never); const n=payload.name==="get"?1500:payload.name.includes("100k")?300:1000;
for(const v of vs){const [label,m]=v.split("="); const k=m??label!; const policy=policyFrom({mode:"block",observe:{sample},events:{otlp:up.url}} as never);
 const envoy=await startEnvoy(found as never,{compiled:compilePolicy(policy,{holdHeaders:true}),upstream:up.url,listen:{host:"127.0.0.1",port:0},modulePath:k==="bare"||k==="floor"?modulePath("floor"):k,filter:k!=="bare",onAccess:null,concurrency:1,env:process.env} as never) as any;
 P.push({label,envoy,pid:envoy.pid,port:Number(new URL(envoy.url).port),c:[] as number[]});}
const send=(p:any,count:number)=>gen.send({port:p.port,request:payload.benign.toString("base64"),count,connections:16} as never);
for(let r=0;r<3;r++)for(const p of P)await send(p,800);
const med=(a:number[])=>{const s=[...a].sort((x,y)=>x-y);return s[s.length>>1]!;};
for(let s=0;s<+slices!;s++){const o=P.map((_,i)=>P[(i+s)%P.length]); if(s&1)o.reverse(); for(const p of o){const b=onCpuNanos(p.pid);const t=await send(p,n) as any; if(t.statuses[200]!==n)console.log(p.label,t.statuses);p.c.push(Number(onCpuNanos(p.pid)-b)/n/1000);}}
const base=P[0].c; for(const p of P){console.log(p.label.padEnd(10),med(p.c).toFixed(1).padStart(7),"us  ratio",med(p.c.map((x:number,i:number)=>x/base[i])).toFixed(3)," min",Math.min(...p.c).toFixed(1));}
for(const p of P)await p.envoy.stop();gen.stop();up.stop();

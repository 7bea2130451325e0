import{a as e,f as t,l as n,u as r}from"./time-CB6nmKTs.js";import{_ as i,d as a,f as o,h as s,l as c,m as l,n as u,o as d,s as f,u as p,x as m,y as h}from"./icon-button-D4gStW3v.js";import{i as g,n as _,r as v,t as y}from"./stop-Ca0CLlqr.js";import{t as b}from"./skeleton-CrHkQfqb.js";var x=[[`circle`,{cx:`12`,cy:`12`,r:`10`}],[`path`,{d:`M4.929 4.929 19.07 19.071`}]],S=[[`circle`,{cx:`12`,cy:`12`,r:`10`}],[`path`,{d:`m16 9-5.5 5.5L8 12`}]],C=[[`path`,{d:`M5 12h14`}]],w=class extends f{constructor(...e){super(...e),this.texts=g,this.names=new Map}static{this.styles=a(o,m`
      :host { display: flex; flex-direction: column; gap: var(--ff-space-3); }
      .decision { display: grid; grid-template-columns: 16px 1fr; gap: 0 var(--ff-space-2); }
      .decision svg { margin-block-start: 2px; color: var(--ff-accent); }
      .not svg { color: var(--ff-text-3); }
      .why { font-weight: var(--ff-weight-medium); overflow-wrap: anywhere; }
      .meta { color: var(--ff-text-2); font-size: var(--ff-size-meta); }
      .grounds { padding-inline-start: 24px; }
      .meta, .grounds { overflow-wrap: anywhere; }
      summary {
        min-height: 24px; width: fit-content; color: var(--ff-text-2); font-size: var(--ff-size-meta); cursor: pointer;
        border-radius: var(--ff-radius-sm);
      }
      @media (pointer: coarse) { summary { padding-block: 12px; } }
      ol { display: grid; gap: 1px; margin-block-start: var(--ff-space-1); }
      ol > li {
        display: grid; grid-template-columns: 14px minmax(88px, 34%) 1fr; gap: 0 var(--ff-space-2);
        padding: 3px var(--ff-space-2); font-size: var(--ff-size-sm); line-height: 18px;
      }
      ol svg { margin-block-start: 2px; color: var(--ff-text-3); }
      li.decides { border-radius: var(--ff-radius-sm); background: var(--ff-accent-soft); }
      li.decides .name { font-weight: var(--ff-weight-bold); }
      li.decides svg { color: var(--ff-accent); }
      li.not_reached { color: var(--ff-text-3); }
      .result { min-width: 0; color: var(--ff-text-2); overflow-wrap: anywhere; }
      .not_reached .result { color: inherit; }
      .by { color: var(--ff-text-3); }
      .decides .result, .decides .by { color: var(--ff-text); }
    `)}render(){let{explanation:e,texts:t}=this;if(!e)return i;let{now:n,rules:a,grounds:o}=e,s=n.push?t.pushed:t.inboxOnly;return h`<div class="decision ${n.notified?``:`not`}">${u(n.notified?r:b)}
        <div><p class="why">${n.notified?t.notified:t.notNotified}.</p>
          <p class="meta">${t.sentence(n.why)}.${n.notified?` ${s}.`:i}</p>
          ${this.#e()}</div></div>
      ${o.length>0?h`<div class="grounds meta"><span>${t.grounds}:</span>
            <ul>${o.map(e=>h`<li>${this.#t(e)}</li>`)}</ul></div>`:i}
      <details><summary>${t.showRules(a.length)}</summary>
        <ol>${a.map(e=>this.#n(e))}</ol></details>`}#e(){let{texts:e}=this,t=this.explanation?.then;if(!t?.at)return i;let n=t.read_at?[e.read,t.read_at]:t.seen_at?[e.seen,t.seen_at]:void 0;return h`<p class="meta">${e.delivered} <ff-time datetime=${t.at}></ff-time>${n?h`, ${n[0]} <ff-time datetime=${n[1]??``}></ff-time>`:i}.</p>`}#t(e){let{texts:t}=this,n=this.names.get(e.resource_id??``)??(e.withheld?t.withheld:void 0);return t.ground(e,n??`…`)+(e.group_id?`, ${t.through}`:``)}#n(e){let{texts:t}=this,a=e.result===`notified`||e.result===`not_notified`,o=a?e.result===`notified`?r:b:e.result===`passed`?n:C;return h`<li class=${a?`decides`:e.result} aria-current=${a?`step`:i}>
      ${u(o,14)}
      <span class="name">${t.rules[e.rule]}${a?h`<span class="hidden-text"> (${t.decides})</span>`:i}</span>
      <span class="result">${t.sentence(e.why)}${e.set_by&&e.result!==`not_reached`?h`<span class="by"> (${t.setBy[e.set_by]})</span>`:i}</span>
    </li>`}};d([s({attribute:!1})],w.prototype,`explanation`,void 0),d([s({attribute:!1})],w.prototype,`texts`,void 0),d([s({attribute:!1})],w.prototype,`names`,void 0),w=d([c(`ff-explanation`)],w);var T=class extends f{constructor(...e){super(...e),this.texts=g,this.folded=!1,this.stopTexts=v,this.names=new Map,this.above=[],this.busy=!1,this.stopped=[],this.#e=``}static{this.styles=a(o,m`
      :host { display: flex; flex-direction: column; gap: var(--ff-space-3); }
      summary {
        min-height: 24px; width: fit-content; font-size: var(--ff-size-meta); font-weight: var(--ff-weight-bold);
        cursor: pointer; border-radius: var(--ff-radius-sm);
      }
      @media (pointer: coarse) { summary { padding-block: 12px; } }
      .stop { padding-block-start: var(--ff-space-3); border-block-start: 1px solid var(--ff-border); }
      .choices { display: grid; margin: var(--ff-space-1) calc(-1 * var(--ff-space-2)); }
      .choices button {
        display: grid; grid-template-columns: 14px 1fr; gap: 0 var(--ff-space-2); width: 100%; min-height: 44px;
        padding: 5px var(--ff-space-2); border-radius: var(--ff-radius); align-items: start;
      }
      .choices button:hover:enabled { background: var(--ff-hover); }
      .choices button:disabled { opacity: 0.6; }
      .choices svg { margin-block-start: 3px; color: var(--ff-text-3); }
      .label { font-size: var(--ff-size-meta); font-weight: var(--ff-weight-medium); overflow-wrap: anywhere; }
      .hint, .rest { display: block; font-size: var(--ff-size-sm); line-height: 16px; color: var(--ff-text-2); }
      .done {
        display: flex; gap: var(--ff-space-2); align-items: center; padding: var(--ff-space-2) var(--ff-space-3);
        border-radius: var(--ff-radius); background: var(--ff-success-soft); font-size: var(--ff-size-meta);
      }
      .done svg { color: var(--ff-success); }
      .done span { flex: 1; overflow-wrap: anywhere; }
      ff-error { --ff-space-4: 0px; }
    `)}#e;willUpdate(){let e=this.notification?.id??``;e!==this.#e&&this.client&&(this.#e=e,this.explanation=void 0,this.above=[],this.stopped=[],this.load())}async load(){let{client:e,notification:n}=this;if(!e||!n)return;this.error=void 0;let r={path:{id:n.id}};try{let i=await t(e.GET(`/activities/{id}/explain`,{params:r}));if(this.#e!==n.id)return;this.explanation=i,(this.names.size===0||this.above.length===0)&&await this.#t(e,n)}catch(e){this.#e===n.id&&(this.error=e)}}async#t(t,{id:n,event:r}){let i={path:{id:r.resource.resource_id}},{data:a}=await t.GET(`/resources/{id}`,{params:i});if(this.#e!==n)return;let o=(a?.ancestors??[]).map(e=>({id:e.resource_id,name:e.name||e.type}));this.above=o.slice(-2).reverse(),this.names=new Map([...o.map(e=>[e.id,e.name]),[r.resource.resource_id,e(r.resource)]])}render(){let{texts:e}=this;return this.error?h`<ff-error compact .heading=${e.failed} .error=${this.error}
        @retry=${()=>void this.load()}></ff-error>`:this.explanation?h`<ff-explanation .explanation=${this.explanation} .texts=${e} .names=${this.names}></ff-explanation>
      ${this.#n()}`:h`<ff-skeleton kind="text" count="4" .label=${e.loading}></ff-skeleton>`}#n(){let{notification:e,stopTexts:t}=this;if(!e)return i;let n=new Set(this.stopped.map(({choice:e})=>e.label)),r=_(e.event,this.above,t).filter(e=>!n.has(e.label));return h`<details class="stop" ?open=${!this.folded}><summary>${t.heading}</summary>
      <div role="status">${this.stopped.map(e=>h`<p class="done">${u(S)}<span>${e.choice.done}</span>
          <ff-button size="sm" ?disabled=${this.busy} @click=${()=>void this.#i(e)}>${t.undo}</ff-button></p>`)}</div>
      ${this.problem?h`<ff-error compact no-retry .heading=${t.failed} .error=${this.problem}></ff-error>`:i}
      <div class="choices">${r.map(e=>h`<button type="button" ?disabled=${this.busy} @click=${()=>void this.#r(e)}>
          ${u(x,14)}<span><span class="label">${e.label}</span>
            <span class="hint">${e.hint}</span></span></button>`)}</div>
      <p class="rest">${t.rest}</p></details>`}async#r(e){let{client:t}=this;t&&(await this.#a(async()=>{let n=await y(t,e);this.stopped=[...this.stopped,{choice:e,undo:n}],p(this,`stopped`,e)}),this.renderRoot.querySelector(`.done:last-child ff-button`)?.focus())}async#i(e){await this.#a(async()=>{await e.undo(),this.stopped=this.stopped.filter(t=>t!==e),p(this,`undone`,e.choice)}),this.renderRoot.querySelector(`.choices button`)?.focus()}async#a(e){this.busy=!0,this.problem=void 0;try{await e(),await this.load()}catch(e){this.problem=e}finally{this.busy=!1,await this.updateComplete}}};d([s({attribute:!1})],T.prototype,`client`,void 0),d([s({attribute:!1})],T.prototype,`notification`,void 0),d([s({attribute:!1})],T.prototype,`texts`,void 0),d([s({type:Boolean})],T.prototype,`folded`,void 0),d([s({attribute:!1})],T.prototype,`stopTexts`,void 0),d([l()],T.prototype,`explanation`,void 0),d([l()],T.prototype,`names`,void 0),d([l()],T.prototype,`above`,void 0),d([l()],T.prototype,`error`,void 0),d([l()],T.prototype,`problem`,void 0),d([l()],T.prototype,`busy`,void 0),d([l()],T.prototype,`stopped`,void 0),T=d([c(`ff-why`)],T);export{T as Why};
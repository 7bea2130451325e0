const __vite__mapDeps=(i,m=__vite__mapDeps,d=(m.f||(m.f=["assets/why-A-XH5O_C.js","assets/time-CB6nmKTs.js","assets/icon-button-D4gStW3v.js","assets/stop-Ca0CLlqr.js","assets/skeleton-CrHkQfqb.js","assets/dialog-waaTSeZo.js","assets/x-B0bUUmIE.js"])))=>i.map(i=>d[i]);
import{i as e,r as t}from"./stop-Ca0CLlqr.js";import{_ as n,d as r,f as i,h as a,l as o,m as s,n as c,o as l,p as u,s as d,u as f,x as p,y as m}from"./icon-button-D4gStW3v.js";import{a as h,i as g,n as _,r as v,t as y,u as b}from"./time-CB6nmKTs.js";import{c as x,i as S,l as C,o as w}from"./input-DwtKz7o2.js";var T=[[`rect`,{width:`20`,height:`5`,x:`2`,y:`3`,rx:`1`}],[`path`,{d:`M4 8v11a2 2 0 0 0 2 2h2`}],[`path`,{d:`M20 8v11a2 2 0 0 1-2 2h-2`}],[`path`,{d:`m9 15 3-3 3 3`}],[`path`,{d:`M12 12v9`}]],E=[[`rect`,{width:`20`,height:`5`,x:`2`,y:`3`,rx:`1`}],[`path`,{d:`M4 8v11a2 2 0 0 0 2 2h12a2 2 0 0 0 2-2V8`}],[`path`,{d:`M10 12h4`}]],D=[[`circle`,{cx:`12`,cy:`12`,r:`4`}],[`path`,{d:`M16 8v5a3 3 0 0 0 6 0v-1a10 10 0 1 0-4 8`}]],O=[[`path`,{d:`M8 2v3`}],[`path`,{d:`M16 2v3`}],[`rect`,{x:`3`,y:`3`,width:`18`,height:`18`,rx:`2`}],[`path`,{d:`M3 9h18`}]],k=[[`circle`,{cx:`12`,cy:`12`,r:`10`}],[`path`,{d:`M12 6v6l4 2`}]],A=[[`path`,{d:`M21.2 8.4c.5.38.8.97.8 1.6v10a2 2 0 0 1-2 2H4a2 2 0 0 1-2-2V10a2 2 0 0 1 .8-1.6l8-6a2 2 0 0 1 2.4 0l8 6Z`}],[`path`,{d:`m22 10-8.97 5.7a1.94 1.94 0 0 1-2.06 0L2 10`}]],j=[[`path`,{d:`m22 7-8.991 5.727a2 2 0 0 1-2.009 0L2 7`}],[`rect`,{x:`2`,y:`4`,width:`20`,height:`16`,rx:`2`}]],M=[[`path`,{d:`m16 11 2 2 4-4`}],[`path`,{d:`M16 21v-2a4 4 0 0 0-4-4H6a4 4 0 0 0-4 4v2`}],[`circle`,{cx:`9`,cy:`7`,r:`4`}]],N=[[`path`,{d:`M10 15H6a4 4 0 0 0-4 4v2`}],[`path`,{d:`m14.305 16.53.923-.382`}],[`path`,{d:`m15.228 13.852-.923-.383`}],[`path`,{d:`m16.852 12.228-.383-.923`}],[`path`,{d:`m16.852 17.772-.383.924`}],[`path`,{d:`m19.148 12.228.383-.923`}],[`path`,{d:`m19.53 18.696-.382-.924`}],[`path`,{d:`m20.772 13.852.924-.383`}],[`path`,{d:`m20.772 16.148.924.383`}],[`circle`,{cx:`18`,cy:`15`,r:`3`}],[`circle`,{cx:`9`,cy:`7`,r:`4`}]],P={heading:`Why am I notified?`,reasons:{subscribed:`Following`,owner:`Owner`,delegator:`Delegator`,target:`For you`},label:(e,t)=>`${e}${t&&` (${t})`}. Why am I notified?`},F={subscribed:b,owner:M,delegator:N,target:D},I=[`target`,`owner`,`delegator`,`subscribed`];function L(e){return I.filter(t=>e.includes(t))}var R=class extends d{constructor(...e){super(...e),this.texts=P,this.align=`start`,this.opened=!1,this.#e=()=>{C(()=>import(`./why-A-XH5O_C.js`),__vite__mapDeps([0,1,2,3,4])),this.opened=!0}}static{this.shadowRootOptions={...d.shadowRootOptions,delegatesFocus:!0}}static{this.styles=r(p`
    :host { display: inline-flex; min-width: 0; --ff-popover-width: 400px; }
    ff-popover { min-width: 0; }
    .subscribed::part(chip) { padding: 0; border-color: transparent; background: none; }
  `)}show(){this.renderRoot.querySelector(`ff-popover`)?.show()}#e;render(){let{notification:r,texts:i}=this,a=L(r?.reasons??[]),[o]=a;if(!r||!o)return n;let s=a.map(e=>i.reasons[e]);return m`<ff-popover .heading=${i.heading} .align=${this.align} @open=${this.#e}
        @close=${()=>this.opened=!1}>
      <ff-chip slot="trigger" action part="chip" class=${o} .icon=${F[o]}
        .label=${i.label(s[0]??``,s.slice(1).join(`, `))}
        >${s[0]}</ff-chip>
      ${this.opened?m`<ff-why part="why" .client=${this.client} .notification=${r}
              .texts=${i.explanation??e} .stopTexts=${i.stop??t}></ff-why>`:n}</ff-popover>`}};l([a({attribute:!1})],R.prototype,`client`,void 0),l([a({attribute:!1})],R.prototype,`notification`,void 0),l([a({attribute:!1})],R.prototype,`texts`,void 0),l([a()],R.prototype,`align`,void 0),l([s()],R.prototype,`opened`,void 0),R=l([o(`ff-reason`)],R);var z=p`
  :host { display: block; container-type: inline-size; }
  .row {
    position: relative; display: grid; grid-template-columns: auto auto minmax(0, 1fr); column-gap: var(--ff-space-3);
    padding: var(--ff-space-2) var(--ff-space-4) var(--ff-space-2) var(--ff-space-3);
    border-block-end: 1px solid var(--ff-border);
  }
  .row:hover { background: var(--ff-hover); }
  :host([selected]) .row { background: var(--ff-selected); }
  :host([current]) .row { background: var(--ff-selected); box-shadow: inset 2px 0 var(--ff-accent); }
  :host([current]:dir(rtl)) .row { box-shadow: inset -2px 0 var(--ff-accent); }
  .start { display: flex; align-items: center; min-height: 28px; height: 28px; }
  .start::before {
    content: ''; width: 8px; height: 8px; margin-inline-end: var(--ff-space-2); border-radius: 50%;
  }
  .unread .start::before { background: var(--ff-accent); }
  ff-avatar { margin-block-start: 2px; }
  .text { min-width: 0; }
  .first, .second, .meta, .actions { display: flex; align-items: center; }
  .first { gap: var(--ff-space-3); align-items: baseline; }
  .second { gap: var(--ff-space-3); min-height: 26px; }
  .title {
    flex: 1; display: block; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
    color: var(--ff-text-2); border-radius: var(--ff-radius-sm); text-align: left;
  }
  :host(:dir(rtl)) .title { margin-right: -12px; padding-right: 12px; text-align: right; }
  .title:hover { text-decoration: none; }
  .unread .title { color: var(--ff-text); font-weight: var(--ff-weight-bold); }
  .title::after { content: ''; position: absolute; inset: 0; }
  .title:focus-visible { outline: none; }
  .title:focus-visible::after { outline: 2px solid var(--ff-accent); outline-offset: -2px; }
  .time { color: var(--ff-text-3); font-size: var(--ff-size-sm); white-space: nowrap; }
  .meta { flex: 1; gap: var(--ff-space-2); min-width: 0; color: var(--ff-text-2); font-size: var(--ff-size-meta); }
  .where { min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  .state { display: inline-flex; align-items: center; gap: 4px; color: var(--ff-text-3); white-space: nowrap; }
  ff-reason, .actions, ff-severity { position: relative; z-index: 1; flex: none; }
  @media (pointer: coarse) { .actions { --ff-control-sm: 44px; } }
  @container (max-width: 460px) {
    .title {
      display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; white-space: normal;
      overflow-wrap: anywhere;
    }
    .second { gap: var(--ff-space-2); margin-block-start: 2px; }
    .meta { order: 1; }
    .second:has(.long) { flex-wrap: wrap; row-gap: 0; }
    .meta.long { order: 0; flex-basis: 100%; }
    .long ~ ff-reason { flex: 1; }
    .actions { order: 2; }
    .kind { display: none; }
  }
`,B={label:`Snooze`,hours:e=>`In ${e} hours`,tomorrow:`Tomorrow`,week:`Next week`,month:`In a month`,custom:`Another time…`,customHeading:`Snooze until`,customField:`Date and time`,customHint:`It returns to the inbox then, unread.`,snooze:`Snooze`,cancel:`Cancel`,past:`Choose a time in the future, at most 366 days ahead.`},V=9;function H(e,t=B,n){let r=_(n,{weekday:`short`,...v}),i=_(n,{month:`short`,day:`numeric`,...v}),a=new Date(e.getTime()+108e5),o=U(e,1),s=U(e,(8-e.getDay())%7||7),c=U(e,30),l=[{id:`hours`,label:t.hours(3),until:a,hint:r.format(a)},{id:`tomorrow`,label:t.tomorrow,until:o,hint:r.format(o)},{id:`week`,label:t.week,until:s,hint:i.format(s)},{id:`month`,label:t.month,until:c,hint:i.format(c)}];return l.filter((e,t)=>l.findIndex(t=>t.until.getTime()===e.until.getTime())===t)}function U(e,t){let n=new Date(e);return n.setDate(n.getDate()+t),n.setHours(V,0,0,0),n}function W(e,t){let n=new Date(e),r=n.getTime()-t.getTime();return r>0&&r<=316224e5?n:void 0}function G(e){return new Date(e.getTime()-e.getTimezoneOffset()*6e4).toISOString().slice(0,16)}var K=class extends d{constructor(...e){super(...e),this.texts=B,this.text=!1,this.align=`end`,this.choosing=!1,this.value=``,this.refused=!1,this.#e=()=>{let e=y(this);return[{heading:this.texts.label},...H(new Date,this.texts,e).map(e=>({id:e.until.toISOString(),label:e.label,hint:e.hint,icon:k})),{separator:!0},{id:`custom`,label:this.texts.custom,icon:O}]},this.#n=e=>{let t=e.target;this.value=t.value,this.refused=!1},this.#r=e=>{e.detail===`custom`?(this.value=G(new Date(Date.now()+864e5)),this.refused=!1,C(()=>import(`./dialog-waaTSeZo.js`),__vite__mapDeps([5,2,6])),this.choosing=!0):f(this,`snooze`,new Date(e.detail))},this.#i=()=>{let e=W(this.value,new Date);this.refused=!e,e&&(this.choosing=!1,f(this,`snooze`,e))}}static{this.shadowRootOptions={...d.shadowRootOptions,delegatesFocus:!0}}static{this.styles=r(p`
    :host { display: inline-flex; }
  `)}show(e){this.menu.show(e)}render(){let e=this.texts;return m`<ff-menu .align=${this.align} .label=${e.label} .items=${this.#e} @select=${this.#r}>
        ${this.text?m`<ff-button slot="trigger" size="sm">${c(k,14)} ${e.label}</ff-button>`:m`<ff-icon-button slot="trigger" .icon=${k} label=${e.label}></ff-icon-button>`}</ff-menu>
      ${this.choosing?this.#t():n}`}#e;#t(){let e=this.texts;return m`<ff-dialog open .heading=${e.customHeading} @close=${()=>this.choosing=!1}>
      <ff-input type="datetime-local" .label=${e.customField} .hint=${e.customHint} .value=${this.value}
        .error=${this.refused?e.past:``} @change=${this.#n} @input=${this.#n}></ff-input>
      <ff-button slot="footer" @click=${()=>this.choosing=!1}>${e.cancel}</ff-button>
      <ff-button slot="footer" variant="primary" @click=${this.#i}>${e.snooze}</ff-button>
    </ff-dialog>`}#n;#r;#i};l([a({attribute:!1})],K.prototype,`texts`,void 0),l([a({type:Boolean})],K.prototype,`text`,void 0),l([a()],K.prototype,`align`,void 0),l([s()],K.prototype,`choosing`,void 0),l([s()],K.prototype,`value`,void 0),l([s()],K.prototype,`refused`,void 0),l([u(`ff-menu`)],K.prototype,`menu`,void 0),K=l([o(`ff-snooze-menu`)],K);var q={unread:`Unread`,markRead:`Mark as read`,markUnread:`Mark as unread`,archive:`Archive`,restore:`Move to the inbox`,snoozedUntil:`Until`,archived:`Archived`,severity:x,snooze:B,reason:P},J=class extends d{constructor(...e){super(...e),this.texts=q,this.href=``,this.current=!1,this.selected=!1,this.keys=!1,this.#n=()=>void f(this,`open`)}static{this.shadowRootOptions={...d.shadowRootOptions,delegatesFocus:!0}}static{this.styles=r(i,z)}openSnooze(){this.renderRoot.querySelector(`ff-snooze-menu`)?.show()}focus(e){this.renderRoot.querySelector(`.title`)?.focus(e)}render(){let e=this.notification;if(!e)return n;let{actor:t,resource:r,ui_hints:i,action:a}=e.event,o=e.read_at===null,{texts:s}=this,c=h(r),l=m`${o?m`<bdi class="hidden-text">${s.unread}: </bdi>`:n}${i.summary||i.title||a}`,u=i.summary.includes(c),d=S(e.event);return m`<div class="row ${o?`unread`:``}" part="row">
      <span class="start"><slot name="start"></slot></span>
      <ff-avatar .name=${g(t)} .kind=${t.kind}></ff-avatar>
      <div class="text">
        <div class="first">${this.href?m`<a class="title" part="title" dir="auto" href=${this.href}
                aria-current=${this.current?`true`:n} @click=${this.#n}>${l}</a>`:m`<button type="button" class="title" part="title" dir="auto" @click=${this.#n}>${l}</button>`}<span class="time" part="time"><ff-time datetime=${e.created_at}></ff-time></span></div>
        <div class="second">
          <div class="meta ${d?`long`:``}" part="meta">
            ${i.severity===`info`?n:m`<ff-severity text level=${i.severity} label=${s.severity[i.severity]}
                    ></ff-severity>`}
            <bdi class="where ${u&&!d?`kind`:``}">${d||(u?r.resource_type:c)}</bdi>
            ${this.#e(e)}</div>
          <ff-reason part="reason" .client=${this.client} .notification=${e} .texts=${s.reason}
            align="end"></ff-reason>
          <div class="actions" part="actions">${this.#t(e,o)}</div>
        </div>
      </div>
    </div>`}#e(e){let{texts:t}=this;return e.archived_at?m`<span class="state">${c(E,13)}${t.archived}</span>`:e.snoozed_until?m`<span class="state">${c(k,13)}${t.snoozedUntil}
      <ff-time format="short" datetime=${e.snoozed_until}></ff-time></span>`:n}#t(e,t){let{texts:r,keys:i}=this,a=e.archived_at!==null||e.snoozed_until!==null;return m`<ff-icon-button .icon=${t?A:j} label=${t?r.markRead:r.markUnread}
        shortcut=${i?`u`:``} @click=${()=>f(this,`change`,{read:t})}></ff-icon-button>
      ${e.archived_at?n:m`<ff-snooze-menu .texts=${r.snooze} @snooze=${e=>f(this,`change`,{snoozed_until:e.detail.toISOString()})}></ff-snooze-menu>`}
      ${a?m`<ff-icon-button .icon=${T} label=${r.restore} shortcut=${i?`e`:``}
              @click=${()=>f(this,`change`,{archived:!1,snoozed_until:null})}></ff-icon-button>`:m`<ff-icon-button .icon=${E} label=${r.archive} shortcut=${i?`e`:``}
              @click=${()=>f(this,`change`,{archived:!0})}></ff-icon-button>`}`}#n};l([a({attribute:!1})],J.prototype,`client`,void 0),l([a({attribute:!1})],J.prototype,`notification`,void 0),l([a({attribute:!1})],J.prototype,`texts`,void 0),l([a()],J.prototype,`href`,void 0),l([a({type:Boolean,reflect:!0})],J.prototype,`current`,void 0),l([a({type:Boolean,reflect:!0})],J.prototype,`selected`,void 0),l([a({type:Boolean})],J.prototype,`keys`,void 0),J=l([o(`ff-notification-row`)],J);function Y({row:n,reason:r,explanation:i,stop:a,severity:o}){return{...w({...q,severity:w(q.severity,o)},n),reason:{...w(P,r),explanation:w(e,i),stop:w(t,a)}}}export{Y as rowTextsOf};
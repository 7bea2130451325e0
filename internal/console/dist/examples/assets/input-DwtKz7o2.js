import{l as e,o as t}from"./time-CB6nmKTs.js";import{_ as n,c as r,d as i,f as a,h as o,l as s,n as c,o as l,p as u,s as d,t as ee,u as f,x as p,y as m}from"./icon-button-D4gStW3v.js";import{t as h}from"./x-B0bUUmIE.js";var te=(function(){let e=typeof document<`u`&&document.createElement(`link`).relList;return e&&e.supports&&e.supports(`modulepreload`)?`modulepreload`:`preload`})(),g=function(e){return`/`+e},_={},v=function(e){return e.pathname.endsWith(`.css`)},y=function(e,t,n){if(t in e)return e[t];let r=n();if(!r){e[t]=void 0;return}let i=r.then(()=>{e[t]=void 0},n=>{throw e[t]=void 0,n});return e[t]=i,i},b=function(e,t,n){let r=Promise.resolve();if(t&&t.length>0){let e,i=document.querySelector(`meta[property=csp-nonce]`),a=i?.nonce||i?.getAttribute(`nonce`);function o(e){return Promise.all(e.map(e=>Promise.resolve(e).then(e=>({status:`fulfilled`,value:e}),e=>({status:`rejected`,reason:e}))))}function s(e){return import.meta.resolve?new URL(import.meta.resolve(e)):new URL(e,import.meta.url)}r=o(t.map(t=>{t=g(t,n);let r=s(t),i=v(r);return y(_,r.href,()=>{if(e===void 0){e={all:new Set,styles:new Set};let t=document.getElementsByTagName(`link`);for(let n=t.length-1;n>=0;n--){let r=t[n];e.all.add(r.href),r.rel===`stylesheet`&&e.styles.add(r.href)}}if((i?e.styles:e.all).has(r.href))return;let t=document.createElement(`link`);if(t.rel=i?`stylesheet`:te,i||(t.as=`script`),t.crossOrigin=``,t.href=r.href,a&&t.setAttribute(`nonce`,a),document.head.appendChild(t),i)return new Promise((e,n)=>{let i=a=>{t.removeEventListener(`load`,i),t.removeEventListener(`error`,i),a.type===`error`?n(Error(`Unable to preload CSS for ${r}`)):e(a)};t.addEventListener(`load`,i),t.addEventListener(`error`,i)})})}).filter(e=>e!==void 0))}function i(e){let t=new Event(`vite:preloadError`,{cancelable:!0});if(t.payload=e,window.dispatchEvent(t),!t.defaultPrevented)throw e}return r.then(t=>{for(let e of t||[])e.status===`rejected`&&i(e.reason);return e().catch(i)})},x=[[`path`,{d:`M12 8V4H8`}],[`rect`,{width:`16`,height:`12`,x:`4`,y:`8`,rx:`2`}],[`path`,{d:`M2 14h2`}],[`path`,{d:`M20 14h2`}],[`path`,{d:`M15 13v2`}],[`path`,{d:`M9 13v2`}]],S=[[`circle`,{cx:`12`,cy:`12`,r:`10`}],[`path`,{d:`m15 9-6 6`}],[`path`,{d:`m9 9 6 6`}]],ne=[[`circle`,{cx:`12`,cy:`12`,r:`10`}],[`path`,{d:`M12 16v-4`}],[`path`,{d:`M12 8h.01`}]],C=[[`path`,{d:`M12 16h.01`}],[`path`,{d:`M12 8v4`}],[`path`,{d:`M15.312 2a2 2 0 0 1 1.414.586l4.688 4.688A2 2 0 0 1 22 8.688v6.624a2 2 0 0 1-.586 1.414l-4.688 4.688a2 2 0 0 1-1.414.586H8.688a2 2 0 0 1-1.414-.586l-4.688-4.688A2 2 0 0 1 2 15.312V8.688a2 2 0 0 1 .586-1.414l4.688-4.688A2 2 0 0 1 8.688 2z`}]],w=[[`path`,{d:`M9.671 4.136a2.34 2.34 0 0 1 4.659 0 2.34 2.34 0 0 0 3.319 1.915 2.34 2.34 0 0 1 2.33 4.033 2.34 2.34 0 0 0 0 3.831 2.34 2.34 0 0 1-2.33 4.033 2.34 2.34 0 0 0-3.319 1.915 2.34 2.34 0 0 1-4.659 0 2.34 2.34 0 0 0-3.32-1.915 2.34 2.34 0 0 1-2.33-4.033 2.34 2.34 0 0 0 0-3.831A2.34 2.34 0 0 1 6.35 6.051a2.34 2.34 0 0 0 3.319-1.915`}],[`circle`,{cx:`12`,cy:`12`,r:`3`}]],T=[[`path`,{d:`m21.73 18-8-14a2 2 0 0 0-3.48 0l-8 14A2 2 0 0 0 4 21h16a2 2 0 0 0 1.73-3`}],[`path`,{d:`M12 9v4`}],[`path`,{d:`M12 17h.01`}]],E=[[`path`,{d:`M19 21v-2a4 4 0 0 0-4-4H9a4 4 0 0 0-4 4v2`}],[`circle`,{cx:`12`,cy:`7`,r:`4`}]],D=[[`path`,{d:`M16 21v-2a4 4 0 0 0-4-4H6a4 4 0 0 0-4 4v2`}],[`path`,{d:`M16 3.128a4 4 0 0 1 0 7.744`}],[`path`,{d:`M22 21v-2a4 4 0 0 0-3-3.87`}],[`circle`,{cx:`9`,cy:`7`,r:`4`}]],O={info:ne,warning:T,error:S,critical:C},k={info:`info`,warning:`warning`,error:`error`,critical:`critical`},A=class extends d{constructor(...e){super(...e),this.level=`info`,this.text=!1,this.label=``}static{this.styles=i(p`
    :host { display: inline-flex; vertical-align: middle; }
    .severity {
      display: inline-flex; align-items: center; gap: 4px;
      font: var(--ff-weight-medium) var(--ff-size-sm) / 18px var(--ff-font);
    }
    .info { color: var(--ff-text-3); }
    .warning { color: var(--ff-warning); }
    .error { color: var(--ff-error); }
    .critical {
      padding: 1px 6px 1px 4px; border-radius: var(--ff-radius-full); background: var(--ff-critical);
      color: var(--ff-on-critical);
    }
    .critical.bare { padding: 3px; }
  `)}render(){let e=this.level in O?this.level:`info`,t=this.label||this.level;return m`<span part="severity" class="severity ${e} ${this.text?``:`bare`}"
      role=${this.text?n:`img`}
      aria-label=${this.text?n:t} title=${this.text?n:t}
      >${c(O[e],14)}${this.text?t:n}</span>`}};l([o()],A.prototype,`level`,void 0),l([o({type:Boolean})],A.prototype,`text`,void 0),l([o()],A.prototype,`label`,void 0),A=l([s(`ff-severity`)],A);var j={inbox:{label:`Notifications`,bell:e=>e>0?`Notifications, ${e} unread`:`Notifications`,tabs:{inbox:`Inbox`,unread:`Unread`,archived:`Archived`},markAll:`Mark all as read`,markedAll:`All are marked as read.`,loading:`Loading notifications`,failed:`The notifications could not be loaded`,changeFailed:`This could not be changed. It is as before.`,more:`Load more`,undo:`Undo`,undone:`Undone.`,archived:`Archived.`,snoozed:`Snoozed.`,restored:`Moved to the inbox.`,offline:`Offline. The list may be out of date.`,ended:`Live updates have ended. Sign in again to resume them.`,empty:{inbox:{heading:`You are up to date`,text:`What concerns you appears here as it happens.`},unread:{heading:`Nothing is unread`,text:`You have read everything in your inbox.`},archived:{heading:`Nothing is archived`,text:`Notifications that you archive are kept here.`}}},activity:{label:`Recent activity`,loading:`Loading activity`,failed:`The activity could not be loaded`,more:`Load more`,empty:{heading:`No activity yet`,text:`What happens here appears as it happens.`},live:`New activity appears as it happens`,noSource:`Set the attribute resource, principal or tenant.`},preferences:{label:`Notification preferences`,loading:`Loading the preferences`,failed:`The preferences could not be loaded`,saveFailed:`This could not be saved`,saved:`Saved.`,muted:`Mute everything`,mutedHint:`Mandatory activities, and those addressed to you, still notify you.`,mode:`Notify me of`,modes:{all:`Everything`,mutations:`Changes`,custom:`Chosen actions`},modeHints:{all:`Every activity of what you follow, own or manage.`,mutations:`Activities that change something.`,custom:`Activities whose action matches one of the patterns below.`},patterns:`Patterns of actions`,patternsHint:`One pattern, such as order.* or *.failed`,mutedActions:`Muted actions`,mutedActionsHint:`An action or a pattern, such as comment.*`,mutedActors:`Muted people`,none:`None`,add:`Add`,remove:e=>`Remove ${e}`,inherited:`Set by your organisation`},follow:{follow:`Follow`,following:`Following`,menu:`Notifications about this`,failed:`This could not be changed. Try again.`,levels:{none:{label:`Do not follow`,hint:`Only what is addressed to you or what you own.`},following:{label:`Follow`,hint:`By your preferences.`},all:{label:`All activity`,hint:`Everything, whatever your preferences are.`},participating:{label:`Participating`,hint:`As owner or delegator only.`},ignore:{label:`Ignore`,hint:`Nothing but mandatory activities and those addressed to you.`},custom:{label:`Custom`,hint:`Actions that match the patterns of this level.`}}},severity:k,error:t};function M(...e){return e.reduce((e,t)=>t?P(e,t):e,j)}function N(e,t){return P(e,t)}function P(e,t){if(!F(e)||!F(t))return t??e;let n=new Set([...Object.keys(e),...Object.keys(t)]);return Object.fromEntries([...n].map(n=>[n,P(e[n],t[n])]))}function F(e){return typeof e==`object`&&!!e}var I=[`body`,`text`,`comment`,`error`,`reason`,`description`],L=160;function R({payload:e,ui_hints:t}){for(let n of I){let r=e?.[n];if(typeof r!=`string`)continue;let i=B(r);if(i!==``&&!t.summary.includes(i))return r.trim()}return``}function z(e){let t=B(R(e)),n=Array.from(t);return n.length>L?`${n.slice(0,159).join(``)}…`:t}function B(e){return e.slice(0,640).replaceAll(/\s+/gu,` `).trim()}var V={agent:x,service:w,group:D},H=class extends d{constructor(...e){super(...e),this.name=``,this.kind=`user`,this.size=`md`}static{this.styles=i(p`
    :host { display: inline-flex; flex: none; }
    .avatar {
      display: grid; place-items: center; width: var(--size); height: var(--size); border-radius: 50%;
      font: var(--ff-weight-bold) calc(var(--size) * 0.4) / 1 var(--ff-font); user-select: none;
      background: light-dark(oklch(92% 0.04 var(--hue)), oklch(32% 0.05 var(--hue)));
      color: light-dark(oklch(38% 0.08 var(--hue)), oklch(88% 0.06 var(--hue)));
    }
    .other { border-radius: var(--ff-radius); }
    .sm { --size: 20px; }
    .md { --size: 28px; }
    .lg { --size: 40px; }
    .h0 { --hue: 20; } .h1 { --hue: 60; } .h2 { --hue: 100; } .h3 { --hue: 145; }
    .h4 { --hue: 195; } .h5 { --hue: 250; } .h6 { --hue: 300; } .h7 { --hue: 345; }
  `)}render(){let e=V[this.kind]??(this.name?void 0:E),t={sm:12,md:16,lg:22}[this.size],r=this.kind in V?`other`:``;return m`<span part="avatar" class="avatar ${this.size} ${r} h${W(this.name)%8}" aria-hidden="true"
      >${e?c(e,t):U(this.name)||n}</span>`}};l([o()],H.prototype,`name`,void 0),l([o()],H.prototype,`kind`,void 0),l([o()],H.prototype,`size`,void 0),H=l([s(`ff-avatar`)],H);function U(e){let t=e.trim().split(/[\s._-]+/u).filter(e=>/[\p{L}\p{N}]/u.test(e)),n=e=>/[\p{L}\p{N}]/u.exec(e??``)?.[0]?.toLocaleUpperCase()??``;return t.length>1?n(t[0])+n(t.at(-1)):n(t[0])}function W(e){let t=0;for(let n of e)t=t*31+(n.codePointAt(0)??0)>>>0;return t}var G=p`
  :host { display: inline-flex; }
  .panel {
    position: fixed; inset: auto; margin: 0; scroll-margin-block-end: var(--ff-covered, 0px); padding: 0;
    overflow: auto; text-align: start;
    border: 1px solid var(--ff-border);
    border-radius: var(--ff-radius-lg); background: var(--ff-raised); color: var(--ff-text);
    box-shadow: var(--ff-shadow); overscroll-behavior: contain;
    transition: opacity var(--ff-motion) var(--ff-ease), translate var(--ff-motion) var(--ff-ease),
      display var(--ff-motion) allow-discrete, overlay var(--ff-motion) allow-discrete;
    opacity: 0; translate: 0 -2px;
  }
  .panel:popover-open { opacity: 1; translate: 0 0; }
  @starting-style { .panel:popover-open { opacity: 0; translate: 0 -2px; } }
`,K=class extends d{constructor(...e){super(...e),this.side=`bottom`,this.align=`start`,this.open=!1,this.#n=()=>this.place(),this.toggled=e=>{this.open=e.newState===`open`,this.#r();let t=this.open?`addEventListener`:`removeEventListener`;window[t](`resize`,this.#n),window[t](`scroll`,this.#n,!0),this.open?(this.place(),this.opened()):this.shadowRoot?.activeElement&&this.trigger()?.focus(),f(this,this.open?`open`:`close`)}}static{this.styles=[r,a,G]}#e;#t;#n;trigger(){return this.renderRoot.querySelector(`slot[name=trigger]`)?.assignedElements()[0]}show(e){this.#t=e,this.panel.matches(`:popover-open`)||this.panel.showPopover(),this.place()}hide(){this.panel?.matches(`:popover-open`)&&this.panel.hidePopover()}place(){let e=this.#t??this.trigger()?.getBoundingClientRect()??this.getBoundingClientRect();ee(e,this.panel,this.side,this.align)}renderTrigger(){return m`<slot name="trigger" @slotchange=${this.#r} @pointerdown=${this.#i}
      @click=${this.#a}></slot>`}opened(){}disconnectedCallback(){super.disconnectedCallback(),window.removeEventListener(`resize`,this.#n),window.removeEventListener(`scroll`,this.#n,!0)}#r(){let e=this.trigger();e&&(`expanded`in e?Object.assign(e,{expanded:this.open,haspopup:this.popup}):(e.setAttribute(`aria-expanded`,String(this.open)),e.setAttribute(`aria-haspopup`,this.popup)))}#i(){this.#e=this.open}#a(){let e=this.#e??this.open;this.#e=void 0,e?this.hide():this.show()}};l([o()],K.prototype,`side`,void 0),l([o()],K.prototype,`align`,void 0),l([o({type:Boolean,reflect:!0})],K.prototype,`open`,void 0),l([u(`.panel`)],K.prototype,`panel`,void 0);var q=class extends K{constructor(...e){super(...e),this.items=[],this.label=``,this.popup=`menu`,this.#e=!1,this.#t=``,this.#n=0,this.#r=e=>{e.newState===`open`&&(this.#e=!0,this.requestUpdate(),this.performUpdate())}}static{this.styles=i(a,G,p`
    .panel { min-width: 180px; max-width: 360px; padding: var(--ff-space-1); }
    button {
      display: flex; gap: var(--ff-space-2); align-items: center; width: 100%; min-height: 30px;
      padding: 5px var(--ff-space-2); border-radius: var(--ff-radius-sm); font-size: var(--ff-size-meta);
    }
    @media (pointer: coarse) { button { min-height: 44px; } }
    button:hover:enabled, button:focus { background: var(--ff-hover); outline: none; }
    button:focus-visible { outline: 2px solid var(--ff-accent); outline-offset: -2px; }
    button:disabled { color: var(--ff-text-3); opacity: 0.7; }
    .danger { color: var(--ff-error); }
    .text { flex: 1; min-width: 0; }
    .hint { display: block; font-size: var(--ff-size-sm); line-height: var(--ff-line-sm); color: var(--ff-text-3); }
    svg { color: var(--ff-text-3); }
    .danger svg { color: inherit; }
    .mark { width: 16px; }
    .heading {
      padding: var(--ff-space-2) var(--ff-space-2) var(--ff-space-1); font-size: var(--ff-size-sm);
      line-height: var(--ff-line-sm); color: var(--ff-text-3);
    }
    hr { margin: var(--ff-space-1) 0; border: 0; border-block-start: 1px solid var(--ff-border); }
  `)}#e;#t;#n;render(){return m`${this.renderTrigger()}
      <div class="panel" part="panel" popover role="menu" aria-label=${this.label||n} tabindex="-1"
        @beforetoggle=${this.#r} @toggle=${this.toggled} @keydown=${this.#c}>${this.#i()}</div>`}#r;#i(){return this.#e?(typeof this.items==`function`?this.items():this.items).map(e=>this.#a(e)):n}#a(t){if(t.separator)return m`<hr role="separator">`;if(t.heading)return m`<div class="heading" role="presentation">${t.heading}</div>`;let r=t.checked!==void 0;return m`<button type="button" part="item" class=${t.danger?`danger`:``} tabindex="-1"
      role=${t.radio?`menuitemradio`:r?`menuitemcheckbox`:`menuitem`}
        aria-checked=${r?String(t.checked):n}
      ?disabled=${t.disabled??!1} @click=${()=>this.#s(t)}>
      ${r?m`<span class="mark">${t.checked?c(e):n}</span>`:n}
      ${t.icon?c(t.icon):n}
      <span class="text">${t.label}${t.hint?m`<span class="hint">${t.hint}</span>`:n}</span>
      ${t.shortcut?m`<ff-kbd .keys=${t.shortcut}></ff-kbd>`:n}
    </button>`}opened(){this.#o()[0]?.focus()}#o(){return[...this.panel.querySelectorAll(`button:enabled`)]}#s(e){this.hide(),f(this,`select`,e.id)}#c(e){let t=this.#o(),n=t.indexOf(this.shadowRoot?.activeElement),r=n=>{e.preventDefault(),t.at(n%t.length)?.focus()};e.key===`ArrowDown`?r(n+1):e.key===`ArrowUp`?r(n<0?-1:n-1):e.key===`Home`?r(0):e.key===`End`?r(-1):e.key===`Tab`?this.hide():e.key.length===1&&e.key!==` `&&!e.ctrlKey&&!e.metaKey&&(e.stopPropagation(),this.#t=e.timeStamp-this.#n<700?this.#t+e.key:e.key,this.#n=e.timeStamp,t.find(e=>e.textContent?.trim().toLowerCase().startsWith(this.#t.toLowerCase()))?.focus())}};l([o({attribute:!1})],q.prototype,`items`,void 0),l([o()],q.prototype,`label`,void 0),q=l([s(`ff-menu`)],q);var J=p`
  .neutral { --tone: var(--ff-text-2); --tone-soft: var(--ff-sunken); --tone-line: var(--ff-border); }
  .accent { --tone: var(--ff-accent); --tone-soft: var(--ff-accent-soft); --tone-line: transparent; }
  .success { --tone: var(--ff-success); --tone-soft: var(--ff-success-soft); --tone-line: transparent; }
  .warning { --tone: var(--ff-warning); --tone-soft: var(--ff-warning-soft); --tone-line: transparent; }
  .error { --tone: var(--ff-error); --tone-soft: var(--ff-error-soft); --tone-line: transparent; }
  .critical { --tone: var(--ff-on-critical); --tone-soft: var(--ff-critical); --tone-line: transparent; }
`,Y=class extends d{constructor(...e){super(...e),this.tone=`neutral`,this.key=``,this.action=!1,this.removable=!1,this.removeLabel=`Remove`,this.label=``}static{this.shadowRootOptions={...d.shadowRootOptions,delegatesFocus:!0}}static{this.styles=i(J,p`
    :host { display: inline-flex; max-width: 100%; min-width: 0; vertical-align: middle; }
    .chip {
      display: inline-flex; align-items: center; gap: 4px; min-width: 0; min-height: 22px; padding: 0 7px;
      border: 1px solid var(--tone-line); border-radius: var(--ff-radius-full); background: var(--tone-soft);
      color: var(--tone); font: var(--ff-weight-medium) var(--ff-size-sm) / 18px var(--ff-font); white-space: nowrap;
    }
    button.chip { min-height: 24px; border-color: var(--ff-border-strong); }
    button.chip:hover { background: var(--ff-active); color: var(--ff-text); }
    button.chip[aria-pressed='true'] {
      background: var(--ff-accent-soft); border-color: var(--ff-accent); color: var(--ff-accent);
    }
    @media (pointer: coarse) { button.chip { min-height: 36px; padding: 0 12px; } }
    .text { overflow: hidden; text-overflow: ellipsis; }
    .key { color: var(--ff-text-3); font-weight: var(--ff-weight); }
    .remove {
      display: grid; place-items: center; width: 24px; height: 24px; margin: -1px -7px -1px -3px; border-radius: 50%;
    }
    .remove:hover { background: var(--ff-active); }
  `)}render(){let e=m`${this.icon?c(this.icon,13):n}${this.key?m`<span class="key">${this.key}</span>`:n}<span class="text"><slot></slot></span>`;return this.action?m`<button part="chip" type="button" class="chip ${this.tone}" aria-label=${this.label||n}
        aria-pressed=${this.pressed??n} aria-expanded=${this.expanded??n}
        aria-haspopup=${this.haspopup??n}>${e}</button>`:m`<span part="chip" class="chip ${this.tone}">${e}${this.removable?m`<button type="button" class="remove" aria-label=${this.removeLabel}
          @click=${()=>f(this,`remove`)}>${c(h,12)}</button>`:n}</span>`}};l([o()],Y.prototype,`tone`,void 0),l([o({attribute:!1})],Y.prototype,`icon`,void 0),l([o()],Y.prototype,`key`,void 0),l([o({type:Boolean})],Y.prototype,`action`,void 0),l([o({attribute:!1})],Y.prototype,`pressed`,void 0),l([o({type:Boolean})],Y.prototype,`removable`,void 0),l([o({attribute:`remove-label`})],Y.prototype,`removeLabel`,void 0),l([o()],Y.prototype,`label`,void 0),l([o({attribute:!1})],Y.prototype,`expanded`,void 0),l([o({attribute:!1})],Y.prototype,`haspopup`,void 0),Y=l([s(`ff-chip`)],Y);var X=class extends K{constructor(...e){super(...e),this.heading=``,this.label=``,this.popup=`dialog`}static{this.styles=i(a,G,p`
    .panel { width: var(--ff-popover-width, 320px); }
    .panel:has(header)::after {
      content: ''; position: sticky; inset-block-end: 0; display: block; height: 16px; margin-block-start: -16px;
      background: linear-gradient(transparent, var(--ff-raised)); pointer-events: none;
    }
    header { padding: var(--ff-space-3) var(--ff-space-4) 0; font-weight: var(--ff-weight-bold); }
    .body { padding: var(--ff-popover-padding, var(--ff-space-3) var(--ff-space-4) var(--ff-space-4)); }
  `)}render(){return m`${this.renderTrigger()}
      <div class="panel" part="panel" popover role="dialog" aria-label=${this.heading||this.label||n}
        tabindex="-1"
        @toggle=${this.toggled}>
        ${this.heading?m`<header part="heading">${this.heading}</header>`:n}
        <div class="body" part="body"><slot></slot></div>
      </div>`}opened(){this.panel.focus()}};l([o()],X.prototype,`heading`,void 0),l([o()],X.prototype,`label`,void 0),X=l([s(`ff-popover`)],X);var Z=p`
  :host {
    display: flex; flex-direction: column; gap: 4px; min-width: 0;
    font: var(--ff-weight) var(--ff-size) / var(--ff-line) var(--ff-font); color: var(--ff-text);
  }
  label, .label { font-weight: var(--ff-weight-medium); font-size: var(--ff-size-meta); }
  .hint { font-size: var(--ff-size-sm); line-height: var(--ff-line-sm); color: var(--ff-text-3); }
  .error { font-size: var(--ff-size-sm); line-height: var(--ff-line-sm); color: var(--ff-error); }
  .control {
    display: flex; align-items: center; gap: var(--ff-space-2); min-height: var(--ff-control); padding: 0 10px;
    border: 1px solid var(--ff-border-control); border-radius: var(--ff-radius); background: var(--ff-surface);
    transition: border-color var(--ff-motion);
  }
  .control:focus-within { border-color: var(--ff-accent); outline: 2px solid var(--ff-accent); outline-offset: -1px; }
  .control.invalid { border-color: var(--ff-error); }
  .control.disabled { background: var(--ff-sunken); color: var(--ff-text-3); }
  .control svg { color: var(--ff-text-3); }
  input, select, textarea {
    flex: 1; min-width: 0; width: 100%; padding: 5px 0; border: 0; background: none; outline: none !important;
  }
  ::placeholder { color: var(--ff-text-3); opacity: 1; }
  @media (pointer: coarse) { input, select, textarea { font-size: 16px; } }
`,Q=class extends d{constructor(...e){super(...e),this.label=``,this.hideLabel=!1,this.hint=``,this.error=``,this.name=``,this.required=!1,this.disabled=!1}static{this.shadowRootOptions={...d.shadowRootOptions,delegatesFocus:!0}}renderLabel(){return m`<label part="label" for="control" class=${this.hideLabel?`hidden-text`:``}>${this.label}</label>`}renderNotes(){return m`${this.hint?m`<span id="hint" class="hint">${this.hint}</span>`:n}
      ${this.error?m`<span id="error" class="error" role="alert">${this.error}</span>`:n}`}get describedBy(){return[this.hint&&`hint`,this.error&&`error`].filter(Boolean).join(` `)||n}get controlClass(){return`control ${this.error?`invalid`:``} ${this.disabled?`disabled`:``}`}};l([o()],Q.prototype,`label`,void 0),l([o({type:Boolean,attribute:`hide-label`})],Q.prototype,`hideLabel`,void 0),l([o()],Q.prototype,`hint`,void 0),l([o()],Q.prototype,`error`,void 0),l([o()],Q.prototype,`name`,void 0),l([o({type:Boolean})],Q.prototype,`required`,void 0),l([o({type:Boolean,reflect:!0})],Q.prototype,`disabled`,void 0);var $=class extends Q{constructor(...e){super(...e),this.value=``,this.type=`text`,this.placeholder=``,this.autocomplete=`off`,this.rows=0,this.mono=!1,this.clearable=!1,this.clearLabel=`Clear`}static{this.styles=i(Z,p`
    textarea { resize: vertical; line-height: var(--ff-line); }
    .mono { font-family: var(--ff-font-mono); font-size: var(--ff-size-meta); }
    input::-webkit-search-cancel-button { display: none; }
    ff-icon-button { margin-inline-end: -6px; }
  `)}render(){return m`${this.renderLabel()}
      <div class=${this.controlClass} part="control">
        <slot name="prefix">${this.icon?c(this.icon):n}</slot>
        ${this.rows>0?this.#t():this.#e()}
        ${this.clearable&&this.value?m`<ff-icon-button .icon=${h} label=${this.clearLabel}
          @click=${this.#i}></ff-icon-button>`:n}
        <slot name="suffix"></slot>
      </div>${this.renderNotes()}`}#e(){return m`<input id="control" class=${this.mono?`mono`:``} .value=${this.value} type=${this.type}
      name=${this.name} placeholder=${this.placeholder||n} autocomplete=${this.autocomplete}
      spellcheck="false" ?required=${this.required} ?disabled=${this.disabled}
      aria-invalid=${this.error?`true`:n} aria-describedby=${this.describedBy}
      @input=${this.#n} @change=${this.#r} @keydown=${this.#a}>`}#t(){return m`<textarea id="control" class=${this.mono?`mono`:``} .value=${this.value} rows=${this.rows}
      name=${this.name} placeholder=${this.placeholder||n} ?required=${this.required}
      ?disabled=${this.disabled} aria-invalid=${this.error?`true`:n}
      aria-describedby=${this.describedBy} @input=${this.#n} @change=${this.#r}></textarea>`}#n(){this.value=this.control.value}#r(){f(this,`change`,this.value)}#i(){this.value=``,this.control.focus(),this.dispatchEvent(new InputEvent(`input`,{bubbles:!0,composed:!0})),this.#r()}#a(e){e.key===`Enter`&&!e.isComposing&&this.closest(`form`)?.requestSubmit()}};l([o()],$.prototype,`value`,void 0),l([o()],$.prototype,`type`,void 0),l([o()],$.prototype,`placeholder`,void 0),l([o()],$.prototype,`autocomplete`,void 0),l([o({attribute:!1})],$.prototype,`icon`,void 0),l([o({type:Number})],$.prototype,`rows`,void 0),l([o({type:Boolean})],$.prototype,`mono`,void 0),l([o({type:Boolean})],$.prototype,`clearable`,void 0),l([o({attribute:`clear-label`})],$.prototype,`clearLabel`,void 0),l([u(`#control`)],$.prototype,`control`,void 0),$=l([s(`ff-input`)],$);export{j as a,k as c,z as i,b as l,Z as n,N as o,J as r,M as s,Q as t};
import{_ as e,d as t,h as n,l as r,o as i,s as a,x as o,y as s}from"./icon-button-D4gStW3v.js";var c=[[`path`,{d:`M10.268 21a2 2 0 0 0 3.464 0`}],[`path`,{d:`M17 17H4a1 1 0 0 1-.74-1.673C4.59 13.956 6 12.499 6 8a6 6 0 0 1 .258-1.742`}],[`path`,{d:`m2 2 20 20`}],[`path`,{d:`M8.668 3.01A6 6 0 0 1 18 8c0 2.687.77 4.653 1.707 6.05`}]],l=class extends a{constructor(...e){super(...e),this.kind=`rows`,this.count=6,this.label=`Loading`}static{this.styles=t(o`
    :host { display: block; }
    .row {
      display: flex; align-items: center; gap: var(--ff-space-3); padding: var(--ff-space-3) var(--ff-space-4);
      border-block-end: 1px solid var(--ff-border);
    }
    .lines { display: grid; gap: 8px; flex: 1; }
    .bar { height: 10px; border-radius: 5px; }
    .disc { width: 28px; height: 28px; border-radius: 50%; flex: none; }
    .block { height: var(--ff-skeleton-height, 120px); border-radius: var(--ff-radius); }
    .fill {
      background: linear-gradient(90deg, var(--ff-active) 25%, var(--ff-hover) 50%, var(--ff-active) 75%);
      background-size: 200% 100%;
      animation: shimmer 1.6s linear infinite;
    }
    .w0 { width: 62%; } .w1 { width: 48%; } .w2 { width: 74%; } .short { width: 30%; }
    .text .bar { margin-block-end: 10px; }
    @keyframes shimmer { from { background-position: 200% 0; } to { background-position: 0 0; } }
    @media (prefers-reduced-motion: reduce) { .fill { animation: none; } }
  `)}render(){let t=Array.from({length:this.kind===`block`?1:this.count},(e,t)=>t%3);return s`<div role="status" class=${this.kind}><span class="hidden-text">${this.label}</span>
      ${this.kind===`block`?s`<div class="block fill"></div>`:e}
      ${this.kind===`text`?t.map(e=>s`<div class="bar fill w${e}"></div>`):e}
      ${this.kind===`rows`?t.map(e=>s`<div class="row"><div class="disc fill"></div>
        <div class="lines"><div class="bar fill w${e}"></div><div class="bar fill short"></div></div></div>`):e}
    </div>`}};i([n()],l.prototype,`kind`,void 0),i([n({type:Number})],l.prototype,`count`,void 0),i([n()],l.prototype,`label`,void 0),l=i([r(`ff-skeleton`)],l);export{c as t};
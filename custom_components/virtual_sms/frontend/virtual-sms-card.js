// Built from frontend/ by scripts/frontend. Holds Lit, © Google LLC, BSD-3-Clause.
var B=globalThis,K=B.ShadowRoot&&(B.ShadyCSS===void 0||B.ShadyCSS.nativeShadow)&&"adoptedStyleSheets"in Document.prototype&&"replace"in CSSStyleSheet.prototype,de=Symbol(),xe=new WeakMap,N=class{constructor(t,e,s){if(this._$cssResult$=!0,s!==de)throw Error("CSSResult is not constructable. Use `unsafeCSS` or `css` instead.");this.cssText=t,this.t=e}get styleSheet(){let t=this.o,e=this.t;if(K&&t===void 0){let s=e!==void 0&&e.length===1;s&&(t=xe.get(e)),t===void 0&&((this.o=t=new CSSStyleSheet).replaceSync(this.cssText),s&&xe.set(e,t))}return t}toString(){return this.cssText}},we=r=>new N(typeof r=="string"?r:r+"",void 0,de),x=(r,...t)=>{let e=r.length===1?r[0]:t.reduce((s,i,n)=>s+(o=>{if(o._$cssResult$===!0)return o.cssText;if(typeof o=="number")return o;throw Error("Value passed to 'css' function must be a 'css' function result: "+o+". Use 'unsafeCSS' to pass non-literal values, but take care to ensure page security.")})(i)+r[n+1],r[0]);return new N(e,r,de)},Ae=(r,t)=>{if(K)r.adoptedStyleSheets=t.map(e=>e instanceof CSSStyleSheet?e:e.styleSheet);else for(let e of t){let s=document.createElement("style"),i=B.litNonce;i!==void 0&&s.setAttribute("nonce",i),s.textContent=e.cssText,r.appendChild(s)}},le=K?r=>r:r=>r instanceof CSSStyleSheet?(t=>{let e="";for(let s of t.cssRules)e+=s.cssText;return we(e)})(r):r;var{is:vt,defineProperty:yt,getOwnPropertyDescriptor:$t,getOwnPropertyNames:bt,getOwnPropertySymbols:_t,getPrototypeOf:xt}=Object,q=globalThis,Ee=q.trustedTypes,wt=Ee?Ee.emptyScript:"",At=q.reactiveElementPolyfillSupport,U=(r,t)=>r,ce={toAttribute(r,t){switch(t){case Boolean:r=r?wt:null;break;case Object:case Array:r=r==null?r:JSON.stringify(r)}return r},fromAttribute(r,t){let e=r;switch(t){case Boolean:e=r!==null;break;case Number:e=r===null?null:Number(r);break;case Object:case Array:try{e=JSON.parse(r)}catch{e=null}}return e}},Ce=(r,t)=>!vt(r,t),Se={attribute:!0,type:String,converter:ce,reflect:!1,useDefault:!1,hasChanged:Ce};Symbol.metadata??=Symbol("metadata"),q.litPropertyMetadata??=new WeakMap;var $=class extends HTMLElement{static addInitializer(t){this._$Ei(),(this.l??=[]).push(t)}static get observedAttributes(){return this.finalize(),this._$Eh&&[...this._$Eh.keys()]}static createProperty(t,e=Se){if(e.state&&(e.attribute=!1),this._$Ei(),this.prototype.hasOwnProperty(t)&&((e=Object.create(e)).wrapped=!0),this.elementProperties.set(t,e),!e.noAccessor){let s=Symbol(),i=this.getPropertyDescriptor(t,s,e);i!==void 0&&yt(this.prototype,t,i)}}static getPropertyDescriptor(t,e,s){let{get:i,set:n}=$t(this.prototype,t)??{get(){return this[e]},set(o){this[e]=o}};return{get:i,set(o){let d=i?.call(this);n?.call(this,o),this.requestUpdate(t,d,s)},configurable:!0,enumerable:!0}}static getPropertyOptions(t){return this.elementProperties.get(t)??Se}static _$Ei(){if(this.hasOwnProperty(U("elementProperties")))return;let t=xt(this);t.finalize(),t.l!==void 0&&(this.l=[...t.l]),this.elementProperties=new Map(t.elementProperties)}static finalize(){if(this.hasOwnProperty(U("finalized")))return;if(this.finalized=!0,this._$Ei(),this.hasOwnProperty(U("properties"))){let e=this.properties,s=[...bt(e),..._t(e)];for(let i of s)this.createProperty(i,e[i])}let t=this[Symbol.metadata];if(t!==null){let e=litPropertyMetadata.get(t);if(e!==void 0)for(let[s,i]of e)this.elementProperties.set(s,i)}this._$Eh=new Map;for(let[e,s]of this.elementProperties){let i=this._$Eu(e,s);i!==void 0&&this._$Eh.set(i,e)}this.elementStyles=this.finalizeStyles(this.styles)}static finalizeStyles(t){let e=[];if(Array.isArray(t)){let s=new Set(t.flat(1/0).reverse());for(let i of s)e.unshift(le(i))}else t!==void 0&&e.push(le(t));return e}static _$Eu(t,e){let s=e.attribute;return s===!1?void 0:typeof s=="string"?s:typeof t=="string"?t.toLowerCase():void 0}constructor(){super(),this._$Ep=void 0,this.isUpdatePending=!1,this.hasUpdated=!1,this._$Em=null,this._$Ev()}_$Ev(){this._$ES=new Promise(t=>this.enableUpdating=t),this._$AL=new Map,this._$E_(),this.requestUpdate(),this.constructor.l?.forEach(t=>t(this))}addController(t){(this._$EO??=new Set).add(t),this.renderRoot!==void 0&&this.isConnected&&t.hostConnected?.()}removeController(t){this._$EO?.delete(t)}_$E_(){let t=new Map,e=this.constructor.elementProperties;for(let s of e.keys())this.hasOwnProperty(s)&&(t.set(s,this[s]),delete this[s]);t.size>0&&(this._$Ep=t)}createRenderRoot(){let t=this.shadowRoot??this.attachShadow(this.constructor.shadowRootOptions);return Ae(t,this.constructor.elementStyles),t}connectedCallback(){this.renderRoot??=this.createRenderRoot(),this.enableUpdating(!0),this._$EO?.forEach(t=>t.hostConnected?.())}enableUpdating(t){}disconnectedCallback(){this._$EO?.forEach(t=>t.hostDisconnected?.())}attributeChangedCallback(t,e,s){this._$AK(t,s)}_$ET(t,e){let s=this.constructor.elementProperties.get(t),i=this.constructor._$Eu(t,s);if(i!==void 0&&s.reflect===!0){let n=(s.converter?.toAttribute!==void 0?s.converter:ce).toAttribute(e,s.type);this._$Em=t,n==null?this.removeAttribute(i):this.setAttribute(i,n),this._$Em=null}}_$AK(t,e){let s=this.constructor,i=s._$Eh.get(t);if(i!==void 0&&this._$Em!==i){let n=s.getPropertyOptions(i),o=typeof n.converter=="function"?{fromAttribute:n.converter}:n.converter?.fromAttribute!==void 0?n.converter:ce;this._$Em=i;let d=o.fromAttribute(e,n.type);this[i]=d??this._$Ej?.get(i)??d,this._$Em=null}}requestUpdate(t,e,s,i=!1,n){if(t!==void 0){let o=this.constructor;if(i===!1&&(n=this[t]),s??=o.getPropertyOptions(t),!((s.hasChanged??Ce)(n,e)||s.useDefault&&s.reflect&&n===this._$Ej?.get(t)&&!this.hasAttribute(o._$Eu(t,s))))return;this.C(t,e,s)}this.isUpdatePending===!1&&(this._$ES=this._$EP())}C(t,e,{useDefault:s,reflect:i,wrapped:n},o){s&&!(this._$Ej??=new Map).has(t)&&(this._$Ej.set(t,o??e??this[t]),n!==!0||o!==void 0)||(this._$AL.has(t)||(this.hasUpdated||s||(e=void 0),this._$AL.set(t,e)),i===!0&&this._$Em!==t&&(this._$Eq??=new Set).add(t))}async _$EP(){this.isUpdatePending=!0;try{await this._$ES}catch(e){Promise.reject(e)}let t=this.scheduleUpdate();return t!=null&&await t,!this.isUpdatePending}scheduleUpdate(){return this.performUpdate()}performUpdate(){if(!this.isUpdatePending)return;if(!this.hasUpdated){if(this.renderRoot??=this.createRenderRoot(),this._$Ep){for(let[i,n]of this._$Ep)this[i]=n;this._$Ep=void 0}let s=this.constructor.elementProperties;if(s.size>0)for(let[i,n]of s){let{wrapped:o}=n,d=this[i];o!==!0||this._$AL.has(i)||d===void 0||this.C(i,void 0,n,d)}}let t=!1,e=this._$AL;try{t=this.shouldUpdate(e),t?(this.willUpdate(e),this._$EO?.forEach(s=>s.hostUpdate?.()),this.update(e)):this._$EM()}catch(s){throw t=!1,this._$EM(),s}t&&this._$AE(e)}willUpdate(t){}_$AE(t){this._$EO?.forEach(e=>e.hostUpdated?.()),this.hasUpdated||(this.hasUpdated=!0,this.firstUpdated(t)),this.updated(t)}_$EM(){this._$AL=new Map,this.isUpdatePending=!1}get updateComplete(){return this.getUpdateComplete()}getUpdateComplete(){return this._$ES}shouldUpdate(t){return!0}update(t){this._$Eq&&=this._$Eq.forEach(e=>this._$ET(e,this[e])),this._$EM()}updated(t){}firstUpdated(t){}};$.elementStyles=[],$.shadowRootOptions={mode:"open"},$[U("elementProperties")]=new Map,$[U("finalized")]=new Map,At?.({ReactiveElement:$}),(q.reactiveElementVersions??=[]).push("2.1.2");var pe=globalThis,ke=r=>r,W=pe.trustedTypes,Te=W?W.createPolicy("lit-html",{createHTML:r=>r}):void 0,ue="$lit$",b=`lit$${Math.random().toFixed(9).slice(2)}$`,me="?"+b,Et=`<${me}>`,C=document,D=()=>C.createComment(""),z=r=>r===null||typeof r!="object"&&typeof r!="function",fe=Array.isArray,Ne=r=>fe(r)||typeof r?.[Symbol.iterator]=="function",he=`[ 	
\f\r]`,O=/<(?:(!--|\/[^a-zA-Z])|(\/?[a-zA-Z][^>\s]*)|(\/?$))/g,Me=/-->/g,Pe=/>/g,E=RegExp(`>|${he}(?:([^\\s"'>=/]+)(${he}*=${he}*(?:[^ 	
\f\r"'\`<>=]|("|')|))|$)`,"g"),He=/'/g,Re=/"/g,Ue=/^(?:script|style|textarea|title)$/i,ge=r=>(t,...e)=>({_$litType$:r,strings:t,values:e}),u=ge(1),Oe=ge(2),ts=ge(3),_=Symbol.for("lit-noChange"),c=Symbol.for("lit-nothing"),Le=new WeakMap,S=C.createTreeWalker(C,129);function De(r,t){if(!fe(r)||!r.hasOwnProperty("raw"))throw Error("invalid template strings array");return Te!==void 0?Te.createHTML(t):t}var ze=(r,t)=>{let e=r.length-1,s=[],i,n=t===2?"<svg>":t===3?"<math>":"",o=O;for(let d=0;d<e;d++){let a=r[d],p,f,l=-1,h=0;for(;h<a.length&&(o.lastIndex=h,f=o.exec(a),f!==null);)h=o.lastIndex,o===O?f[1]==="!--"?o=Me:f[1]!==void 0?o=Pe:f[2]!==void 0?(Ue.test(f[2])&&(i=RegExp("</"+f[2],"g")),o=E):f[3]!==void 0&&(o=E):o===E?f[0]===">"?(o=i??O,l=-1):f[1]===void 0?l=-2:(l=o.lastIndex-f[2].length,p=f[1],o=f[3]===void 0?E:f[3]==='"'?Re:He):o===Re||o===He?o=E:o===Me||o===Pe?o=O:(o=E,i=void 0);let m=o===E&&r[d+1].startsWith("/>")?" ":"";n+=o===O?a+Et:l>=0?(s.push(p),a.slice(0,l)+ue+a.slice(l)+b+m):a+b+(l===-2?d:m)}return[De(r,n+(r[e]||"<?>")+(t===2?"</svg>":t===3?"</math>":"")),s]},I=class r{constructor({strings:t,_$litType$:e},s){let i;this.parts=[];let n=0,o=0,d=t.length-1,a=this.parts,[p,f]=ze(t,e);if(this.el=r.createElement(p,s),S.currentNode=this.el.content,e===2||e===3){let l=this.el.content.firstChild;l.replaceWith(...l.childNodes)}for(;(i=S.nextNode())!==null&&a.length<d;){if(i.nodeType===1){if(i.hasAttributes())for(let l of i.getAttributeNames())if(l.endsWith(ue)){let h=f[o++],m=i.getAttribute(l).split(b),g=/([.?@])?(.*)/.exec(h);a.push({type:1,index:n,name:g[2],strings:m,ctor:g[1]==="."?G:g[1]==="?"?Z:g[1]==="@"?Y:T}),i.removeAttribute(l)}else l.startsWith(b)&&(a.push({type:6,index:n}),i.removeAttribute(l));if(Ue.test(i.tagName)){let l=i.textContent.split(b),h=l.length-1;if(h>0){i.textContent=W?W.emptyScript:"";for(let m=0;m<h;m++)i.append(l[m],D()),S.nextNode(),a.push({type:2,index:++n});i.append(l[h],D())}}}else if(i.nodeType===8)if(i.data===me)a.push({type:2,index:n});else{let l=-1;for(;(l=i.data.indexOf(b,l+1))!==-1;)a.push({type:7,index:n}),l+=b.length-1}n++}}static createElement(t,e){let s=C.createElement("template");return s.innerHTML=t,s}};function k(r,t,e=r,s){if(t===_)return t;let i=s!==void 0?e._$Co?.[s]:e._$Cl,n=z(t)?void 0:t._$litDirective$;return i?.constructor!==n&&(i?._$AO?.(!1),n===void 0?i=void 0:(i=new n(r),i._$AT(r,e,s)),s!==void 0?(e._$Co??=[])[s]=i:e._$Cl=i),i!==void 0&&(t=k(r,i._$AS(r,t.values),i,s)),t}var F=class{constructor(t,e){this._$AV=[],this._$AN=void 0,this._$AD=t,this._$AM=e}get parentNode(){return this._$AM.parentNode}get _$AU(){return this._$AM._$AU}u(t){let{el:{content:e},parts:s}=this._$AD,i=(t?.creationScope??C).importNode(e,!0);S.currentNode=i;let n=S.nextNode(),o=0,d=0,a=s[0];for(;a!==void 0;){if(o===a.index){let p;a.type===2?p=new P(n,n.nextSibling,this,t):a.type===1?p=new a.ctor(n,a.name,a.strings,this,t):a.type===6&&(p=new J(n,this,t)),this._$AV.push(p),a=s[++d]}o!==a?.index&&(n=S.nextNode(),o++)}return S.currentNode=C,i}p(t){let e=0;for(let s of this._$AV)s!==void 0&&(s.strings!==void 0?(s._$AI(t,s,e),e+=s.strings.length-2):s._$AI(t[e])),e++}},P=class r{get _$AU(){return this._$AM?._$AU??this._$Cv}constructor(t,e,s,i){this.type=2,this._$AH=c,this._$AN=void 0,this._$AA=t,this._$AB=e,this._$AM=s,this.options=i,this._$Cv=i?.isConnected??!0}get parentNode(){let t=this._$AA.parentNode,e=this._$AM;return e!==void 0&&t?.nodeType===11&&(t=e.parentNode),t}get startNode(){return this._$AA}get endNode(){return this._$AB}_$AI(t,e=this){t=k(this,t,e),z(t)?t===c||t==null||t===""?(this._$AH!==c&&this._$AR(),this._$AH=c):t!==this._$AH&&t!==_&&this._(t):t._$litType$!==void 0?this.$(t):t.nodeType!==void 0?this.T(t):Ne(t)?this.k(t):this._(t)}O(t){return this._$AA.parentNode.insertBefore(t,this._$AB)}T(t){this._$AH!==t&&(this._$AR(),this._$AH=this.O(t))}_(t){this._$AH!==c&&z(this._$AH)?this._$AA.nextSibling.data=t:this.T(C.createTextNode(t)),this._$AH=t}$(t){let{values:e,_$litType$:s}=t,i=typeof s=="number"?this._$AC(t):(s.el===void 0&&(s.el=I.createElement(De(s.h,s.h[0]),this.options)),s);if(this._$AH?._$AD===i)this._$AH.p(e);else{let n=new F(i,this),o=n.u(this.options);n.p(e),this.T(o),this._$AH=n}}_$AC(t){let e=Le.get(t.strings);return e===void 0&&Le.set(t.strings,e=new I(t)),e}k(t){fe(this._$AH)||(this._$AH=[],this._$AR());let e=this._$AH,s,i=0;for(let n of t)i===e.length?e.push(s=new r(this.O(D()),this.O(D()),this,this.options)):s=e[i],s._$AI(n),i++;i<e.length&&(this._$AR(s&&s._$AB.nextSibling,i),e.length=i)}_$AR(t=this._$AA.nextSibling,e){for(this._$AP?.(!1,!0,e);t!==this._$AB;){let s=ke(t).nextSibling;ke(t).remove(),t=s}}setConnected(t){this._$AM===void 0&&(this._$Cv=t,this._$AP?.(t))}},T=class{get tagName(){return this.element.tagName}get _$AU(){return this._$AM._$AU}constructor(t,e,s,i,n){this.type=1,this._$AH=c,this._$AN=void 0,this.element=t,this.name=e,this._$AM=i,this.options=n,s.length>2||s[0]!==""||s[1]!==""?(this._$AH=Array(s.length-1).fill(new String),this.strings=s):this._$AH=c}_$AI(t,e=this,s,i){let n=this.strings,o=!1;if(n===void 0)t=k(this,t,e,0),o=!z(t)||t!==this._$AH&&t!==_,o&&(this._$AH=t);else{let d=t,a,p;for(t=n[0],a=0;a<n.length-1;a++)p=k(this,d[s+a],e,a),p===_&&(p=this._$AH[a]),o||=!z(p)||p!==this._$AH[a],p===c?t=c:t!==c&&(t+=(p??"")+n[a+1]),this._$AH[a]=p}o&&!i&&this.j(t)}j(t){t===c?this.element.removeAttribute(this.name):this.element.setAttribute(this.name,t??"")}},G=class extends T{constructor(){super(...arguments),this.type=3}j(t){this.element[this.name]=t===c?void 0:t}},Z=class extends T{constructor(){super(...arguments),this.type=4}j(t){this.element.toggleAttribute(this.name,!!t&&t!==c)}},Y=class extends T{constructor(t,e,s,i,n){super(t,e,s,i,n),this.type=5}_$AI(t,e=this){if((t=k(this,t,e,0)??c)===_)return;let s=this._$AH,i=t===c&&s!==c||t.capture!==s.capture||t.once!==s.once||t.passive!==s.passive,n=t!==c&&(s===c||i);i&&this.element.removeEventListener(this.name,this,s),n&&this.element.addEventListener(this.name,this,t),this._$AH=t}handleEvent(t){typeof this._$AH=="function"?this._$AH.call(this.options?.host??this.element,t):this._$AH.handleEvent(t)}},J=class{constructor(t,e,s){this.element=t,this.type=6,this._$AN=void 0,this._$AM=e,this.options=s}get _$AU(){return this._$AM._$AU}_$AI(t){k(this,t)}},Ie={M:ue,P:b,A:me,C:1,L:ze,R:F,D:Ne,V:k,I:P,H:T,N:Z,U:Y,B:G,F:J},St=pe.litHtmlPolyfillSupport;St?.(I,P),(pe.litHtmlVersions??=[]).push("3.3.3");var Ve=(r,t,e)=>{let s=e?.renderBefore??t,i=s._$litPart$;if(i===void 0){let n=e?.renderBefore??null;s._$litPart$=i=new P(t.insertBefore(D(),n),n,void 0,e??{})}return i._$AI(r),i};var ve=globalThis,v=class extends ${constructor(){super(...arguments),this.renderOptions={host:this},this._$Do=void 0}createRenderRoot(){let t=super.createRenderRoot();return this.renderOptions.renderBefore??=t.firstChild,t}update(t){let e=this.render();this.hasUpdated||(this.renderOptions.isConnected=this.isConnected),super.update(t),this._$Do=Ve(e,this.renderRoot,this.renderOptions)}connectedCallback(){super.connectedCallback(),this._$Do?.setConnected(!0)}disconnectedCallback(){super.disconnectedCallback(),this._$Do?.setConnected(!1)}render(){return _}};v._$litElement$=!0,v.finalized=!0,ve.litElementHydrateSupport?.({LitElement:v});var Ct=ve.litElementPolyfillSupport;Ct?.({LitElement:v});(ve.litElementVersions??=[]).push("4.2.2");var je={ATTRIBUTE:1,CHILD:2,PROPERTY:3,BOOLEAN_ATTRIBUTE:4,EVENT:5,ELEMENT:6},Be=r=>(...t)=>({_$litDirective$:r,values:t}),Q=class{constructor(t){}get _$AU(){return this._$AM._$AU}_$AT(t,e,s){this._$Ct=t,this._$AM=e,this._$Ci=s}_$AS(t,e){return this.update(t,e)}update(t,e){return this.render(...e)}};var{I:kt}=Ie,Ke=r=>r;var qe=()=>document.createComment(""),H=(r,t,e)=>{let s=r._$AA.parentNode,i=t===void 0?r._$AB:t._$AA;if(e===void 0){let n=s.insertBefore(qe(),i),o=s.insertBefore(qe(),i);e=new kt(n,o,r,r.options)}else{let n=e._$AB.nextSibling,o=e._$AM,d=o!==r;if(d){let a;e._$AQ?.(r),e._$AM=r,e._$AP!==void 0&&(a=r._$AU)!==o._$AU&&e._$AP(a)}if(n!==i||d){let a=e._$AA;for(;a!==n;){let p=Ke(a).nextSibling;Ke(s).insertBefore(a,i),a=p}}}return e},w=(r,t,e=r)=>(r._$AI(t,e),r),Tt={},We=(r,t=Tt)=>r._$AH=t,Fe=r=>r._$AH,X=r=>{r._$AR(),r._$AA.remove()};var Ge=(r,t,e)=>{let s=new Map;for(let i=t;i<=e;i++)s.set(r[i],i);return s},ee=Be(class extends Q{constructor(r){if(super(r),r.type!==je.CHILD)throw Error("repeat() can only be used in text expressions")}dt(r,t,e){let s;e===void 0?e=t:t!==void 0&&(s=t);let i=[],n=[],o=0;for(let d of r)i[o]=s?s(d,o):o,n[o]=e(d,o),o++;return{values:n,keys:i}}render(r,t,e){return this.dt(r,t,e).values}update(r,[t,e,s]){let i=Fe(r),{values:n,keys:o}=this.dt(t,e,s);if(!Array.isArray(i))return this.ut=o,n;let d=this.ut??=[],a=[],p,f,l=0,h=i.length-1,m=0,g=n.length-1;for(;l<=h&&m<=g;)if(i[l]===null)l++;else if(i[h]===null)h--;else if(d[l]===o[m])a[m]=w(i[l],n[m]),l++,m++;else if(d[h]===o[g])a[g]=w(i[h],n[g]),h--,g--;else if(d[l]===o[g])a[g]=w(i[l],n[g]),H(r,a[g+1],i[l]),l++,g--;else if(d[h]===o[m])a[m]=w(i[h],n[m]),H(r,i[l],i[h]),h--,m++;else if(p===void 0&&(p=Ge(o,m,g),f=Ge(d,l,h)),p.has(d[l]))if(p.has(d[h])){let y=f.get(o[m]),ae=y!==void 0?i[y]:null;if(ae===null){let _e=H(r,i[l]);w(_e,n[m]),a[m]=_e}else a[m]=w(ae,n[m]),H(r,i[l],ae),i[y]=null;m++}else X(i[h]),h--;else X(i[l]),l++;for(;m<=g;){let y=H(r,a[g+1]);w(y,n[m]),a[m++]=y}for(;l<=h;){let y=i[l++];y!==null&&X(y)}return this.ut=o,We(r,a),_}});var A=x`
  * {
    box-sizing: border-box;
  }
  button {
    font: inherit;
    color: inherit;
    background: none;
    border: 0;
    cursor: pointer;
  }
  button:focus-visible,
  [tabindex]:focus-visible,
  textarea:focus-visible,
  input:focus-visible {
    outline: 2px solid var(--primary-color, #03a9f4);
    outline-offset: -2px;
  }
  .heard {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  .icon {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    flex: none;
    width: 44px;
    height: 44px;
    padding: 0;
    border-radius: 50%;
  }
  svg {
    width: 24px;
    height: 24px;
    fill: currentColor;
  }
  .problem {
    margin: 8px 12px;
    padding: 8px 12px;
    border-inline-start: 4px solid var(--error-color, #db4437);
    background: var(--secondary-background-color, #e5e5e5);
    overflow-wrap: anywhere;
  }
`,Ze=x`
  :host {
    display: block;
    height: 100%;
    color: var(--primary-text-color, #141414);
  }
  ha-card {
    display: flex;
    flex-direction: column;
    height: 100%;
    min-height: 320px;
    max-height: 560px;
    overflow: hidden;
    container-type: inline-size;
  }
  :host([layout="grid"]) ha-card,
  :host([layout="panel"]) ha-card {
    max-height: none;
  }
  header {
    display: flex;
    align-items: center;
    gap: 4px;
    min-height: 56px;
    padding: 4px 8px 4px 16px;
    border-bottom: 1px solid var(--divider-color, #e0e0e0);
  }
  h2 {
    flex: 1;
    min-width: 0;
    margin: 0;
    font-size: 18px;
    font-weight: 500;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .panes {
    display: flex;
    flex: 1;
    min-height: 0;
  }
  nav,
  section {
    display: flex;
    flex: 1;
    flex-direction: column;
    min-width: 0;
    min-height: 0;
  }
  .open nav,
  .panes:not(.open) section {
    display: none;
  }
  @container (min-width: 640px) {
    .panes nav,
    .panes:not(.open) section,
    .panes section {
      display: flex;
    }
    nav {
      flex: 0 0 38%;
      max-width: 320px;
      border-inline-end: 1px solid var(--divider-color, #e0e0e0);
    }
    .back {
      display: none;
    }
  }
  ul {
    flex: 1;
    margin: 0;
    padding: 0;
    overflow-y: auto;
    list-style: none;
  }
  li button {
    display: grid;
    grid-template-columns: minmax(0, 1fr) auto;
    gap: 2px 8px;
    width: 100%;
    min-height: 60px;
    padding: 8px 16px;
    text-align: start;
    border-bottom: 1px solid var(--divider-color, #e0e0e0);
  }
  li button:hover,
  li button[aria-current="true"] {
    background: var(--secondary-background-color, #e5e5e5);
  }
  .name,
  .last {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .unread .name {
    font-weight: 700;
  }
  .last,
  .when {
    font-size: 13px;
  }
  .count {
    justify-self: end;
    min-width: 20px;
    padding: 0 6px;
    border-radius: 10px;
    font-size: 12px;
    line-height: 20px;
    text-align: center;
    color: var(--card-background-color, #fff);
    background: var(--primary-text-color, #141414);
  }
  .hint {
    margin: auto;
    padding: 24px;
    max-width: 40ch;
    text-align: center;
  }
`,Ye=x`
  :host {
    display: flex;
    flex: 1;
    flex-direction: column;
    min-height: 0;
  }
  .log {
    display: flex;
    flex: 1;
    flex-direction: column;
    gap: 4px;
    padding: 8px 12px;
    overflow-y: auto;
    overflow-anchor: none;
  }
  .older {
    align-self: center;
    min-height: 36px;
    padding: 0 12px;
    text-decoration: underline;
  }
  .day {
    align-self: center;
    margin: 8px 0 4px;
    font-size: 12px;
  }
  .message {
    max-width: 85%;
    padding: 6px 10px;
    border-radius: 12px;
    background: var(--secondary-background-color, #e5e5e5);
  }
  .inbound {
    align-self: flex-start;
    border-end-start-radius: 2px;
  }
  .outbound {
    align-self: flex-end;
    border-end-end-radius: 2px;
    background: color-mix(
      in srgb,
      var(--primary-color, #03a9f4) 20%,
      var(--card-background-color, #fff)
    );
  }
  .text {
    margin: 0;
    white-space: pre-wrap;
    overflow-wrap: anywhere;
    unicode-bidi: isolate;
  }
  .meta {
    display: flex;
    align-items: center;
    justify-content: flex-end;
    gap: 4px;
    font-size: 12px;
  }
  .trust {
    margin-inline-end: auto;
    padding-inline-end: 12px;
  }
  .trust.warning {
    font-weight: 500;
    text-decoration: underline;
    text-decoration-color: var(--error-color, #db4437);
    text-decoration-thickness: 2px;
  }
  .meta svg {
    width: 16px;
    height: 16px;
  }
  .reason {
    margin: 4px 0 0;
    padding-inline-start: 8px;
    font-size: 13px;
    border-inline-start: 3px solid var(--error-color, #db4437);
  }
`,Je=x`
  :host {
    display: block;
    border-top: 1px solid var(--divider-color, #e0e0e0);
  }
  form {
    display: flex;
    align-items: flex-end;
    gap: 8px;
    padding: 8px 12px 4px;
  }
  textarea,
  input {
    flex: 1;
    min-width: 0;
    padding: 10px 12px;
    font: inherit;
    color: inherit;
    background: var(--card-background-color, #fff);
    border: 1px solid var(--secondary-text-color, #5e5e5e);
    border-radius: 8px;
  }
  textarea {
    min-height: 44px;
    max-height: 140px;
    resize: none;
    field-sizing: content;
  }
  ::placeholder {
    color: var(--secondary-text-color, #5e5e5e);
    opacity: 1;
  }
  .to {
    display: flex;
    padding: 8px 12px 0;
  }
  .send {
    min-height: 44px;
    padding: 0 16px;
    border-radius: 22px;
    border: 1px solid var(--primary-color, #03a9f4);
    background: color-mix(
      in srgb,
      var(--primary-color, #03a9f4) 20%,
      var(--card-background-color, #fff)
    );
  }
  .send:disabled {
    cursor: default;
    opacity: 0.6;
  }
  .counter {
    margin: 0;
    padding: 0 12px 8px;
    min-height: 20px;
    font-size: 12px;
  }
`;var te=class extends v{constructor(){super(...arguments);this.address=""}static{this.properties={home:{attribute:!1},media:{attribute:!1},say:{attribute:!1},address:{state:!0}}}static{this.styles=[A,x`
      img {
        display: block;
        max-width: 100%;
        max-height: 240px;
        border-radius: 8px;
      }
      a {
        color: inherit;
      }
    `]}willUpdate(e){e.has("media")&&this.resolve(this.media)}render(){let e=this.say("attachment");return this.address?this.media.media_content_id&&this.media.content_type?.startsWith("image/")?u`<a href=${this.address} target="_blank" rel="noreferrer"
        ><img src=${this.address} alt=${e} loading="lazy"
      /></a>`:u`<a href=${this.address} target="_blank" rel="noreferrer">${e}</a>`:u`${e}`}async resolve({media_content_id:e,url:s}){if(this.address="",e)try{let i=await this.home.callWS({type:"media_source/resolve_media",media_content_id:e});this.address=i.url}catch{}else s&&/^https?:\/\//.test(s)&&(this.address=s)}};var Mt=`@£$¥èéùìòÇ
Øø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà`,Pt="^{}\\[~]|€\f",Qe=new Map([...[...Mt].map(r=>[r,1]),...[...Pt].map(r=>[r,2])]);function Xe(r){let t=[...r.replaceAll(`\r
`,`
`)],e=t.find(a=>!Qe.has(a))??null,[s,i]=e===null?[160,153]:[70,67],n=t.map(a=>e===null?Qe.get(a):a.length),o=n.reduce((a,p)=>a+p,0);if(o<=s)return{segments:1,used:o,room:s,foreign:e};let d=Ht(n,i);return{segments:d,used:o,room:d*i,foreign:e}}function Ht(r,t){let e=1,s=t;for(let i of r)i>s&&(e+=1,s=t),s-=i;return e}var Rt={"'":"‘’‚‛′‵‹›＇",'"':"“”„‟″‶«»＂","-":"‐‑‒–—―⁃−﹘﹣－","...":"…","..":"‥"," ":"               　","\n":"\u2028\u2029","":"​⁠\uFEFF­"},Lt=new Map(Object.entries(Rt).flatMap(([r,t])=>[...t].map(e=>[e,r]))),Nt="    ";function et(r){for(let t of Nt)r=r.replaceAll(`«${t}`,"«").replaceAll(`${t}»`,"»");return[...r].map(t=>Lt.get(t)??t).join("")}var Ut=160,se=class extends v{constructor(){super(...arguments);this.isNew=!1;this.sends=!1;this.simplifies=!1;this.problem="";this.text="";this.recipient=""}static{this.properties={say:{attribute:!1},isNew:{type:Boolean},sends:{type:Boolean},simplifies:{type:Boolean},problem:{},text:{},recipient:{}}}static{this.styles=[A,Je]}focus(){this.renderRoot.querySelector(this.isNew?"input":"textarea")?.focus()}willUpdate(e){e.has("isNew")&&(this.recipient="")}render(){let{say:e}=this;return u`
      ${this.problem?u`<div class="problem" role="alert">${this.problem}</div>`:c}
      ${this.isNew?u`<div class="to">
            <input
              type="tel"
              autocomplete="off"
              aria-label=${e("recipient")}
              placeholder=${e("recipient")}
              .value=${this.recipient}
              @input=${s=>this.write("recipient",s)}
            />
          </div>`:c}
      <form @submit=${this.submit}>
        <textarea
          rows="1"
          dir="auto"
          aria-label=${e("message")}
          aria-describedby="counter"
          placeholder=${e("message")}
          ?readonly=${this.sends}
          .value=${this.text}
          @input=${s=>this.write("text",s)}
          @keydown=${this.press}
        ></textarea>
        <button class="send" ?disabled=${!this.isReady}>
          ${e(this.sends?"sending":"send")}
        </button>
      </form>
      <p class="counter" id="counter">${this.text?this.renderCount():c}</p>
    `}renderCount(){let e=this.simplifies?et(this.text):this.text,{segments:s,used:i,room:n,foreign:o}=Xe(e),d=this.say("segments",{segments:s,used:i,room:n});if(o===null)return d;let a=this.say("dear",{character:o,room:70,cheap:Ut});return`${d} · ${a}`}get isReady(){return!this.sends&&!!this.text.trim()&&!(this.isNew&&!this.recipient.trim())}write(e,s){this[e]=s.target.value,this.dispatchEvent(new CustomEvent("draft",{detail:this.text}))}press(e){let s=!e.shiftKey&&!e.isComposing,i=e.ctrlKey||e.metaKey||!matchMedia("(pointer: coarse)").matches;e.key==="Enter"&&s&&i&&this.submit(e)}submit(e){if(e.preventDefault(),this.isReady){let s={text:this.text,recipient:this.recipient.trim()};this.dispatchEvent(new CustomEvent("send",{detail:s}))}}};var tt={attachment:"Attachment",back:"Back to the conversations",canceled:"Canceled",choose:"Choose a conversation.",conversations:"Conversations",dear:"“{character}” makes it expensive: {room} instead of {cheap} characters in an SMS",delivered:"Delivered",description:"Read and answer SMS, conversation by conversation.",empty:"No conversations yet. What is sent and received appears here, for as long as the options of the number keep it.",failed:"Not sent",known:"Known contact",line:"Number",locked:"Locked",log:"Messages with {name}",message:"Message",newMessage:"New message",noAnswer:"This sender cannot be answered.",notConfigured:"Choose a number in the card's settings.",older:"Older messages",queued:"Waiting to be sent",recipient:"Phone number",segments:"{segments} SMS · {used}/{room}",send:"Send",sending:"Sending…",sent:"Sent",stranger:"Unknown sender",they:"{name} wrote",title:"Title",today:"Today",trusted:"Trusted",undelivered:"Not delivered",unknown:"It is not known whether it was sent",unproven:"Unproven",unread:"Unread: {count}",we:"You wrote",yesterday:"Yesterday"},Ot={attachment:"Pièce jointe",back:"Retour aux conversations",canceled:"Annulé",choose:"Choisissez une conversation.",conversations:"Conversations",dear:"« {character} » coûte cher : {room} caractères par SMS au lieu de {cheap}",delivered:"Distribué",description:"Lire les SMS et y répondre, conversation par conversation.",empty:"Pas encore de conversation. Ce qui est envoyé et reçu apparaît ici, tant que les options du numéro le conservent.",failed:"Non envoyé",known:"Contact connu",line:"Numéro",locked:"Verrouillé",log:"Messages avec {name}",message:"Message",newMessage:"Nouveau message",noAnswer:"Il n'est pas possible de répondre à cet expéditeur.",notConfigured:"Choisissez un numéro dans les réglages de la carte.",older:"Messages plus anciens",queued:"En attente d'envoi",recipient:"Numéro de téléphone",segments:"{segments} SMS · {used}/{room}",send:"Envoyer",sending:"Envoi…",sent:"Envoyé",stranger:"Expéditeur inconnu",they:"{name} a écrit",title:"Titre",today:"Aujourd'hui",trusted:"De confiance",undelivered:"Non distribué",unknown:"On ne sait pas s'il a été envoyé",unproven:"Non prouvé",unread:"Non lus : {count}",we:"Vous avez écrit",yesterday:"Hier"},Dt={en:tt,fr:Ot};function R(r){let t=Dt[(r??"en").split("-")[0]]??tt;return(e,s={})=>t[e].replaceAll(/\{(\w+)\}/g,(i,n)=>String(s[n]??""))}var st="virtual_sms",zt={config_entry_id:"line",title:"title"};function it(){return{schema:[{name:"config_entry_id",required:!0,selector:{config_entry:{integration:st}}},{name:"title",selector:{text:{}}}],computeLabel:({name:r})=>{let t=zt[r];return t&&R(It())(t)}}}function rt(r){let e=Object.values(r.entities??{}).find(s=>s.platform===st&&s.device_id);return r.devices?.[e?.device_id??""]?.config_entries?.[0]}function It(){return document.querySelector("home-assistant")?.hass?.language}var V="virtual_sms",ie=class{constructor(t,e){this.home=t;this.entryId=e}listThreads(){return this.ask("conversations")}describe(){return this.ask("line").catch(()=>({simplify:!0}))}readPage(t,e){return this.ask("conversation",{correspondent:t,limit:50,...e?{before:e}:{}})}markRead(t){return this.ask("mark_read",{correspondent:t})}follow(t){return this.home.connection.subscribeMessage(t,{type:`${V}/subscribe`,entry_id:this.entryId})}async send(t,e){try{let{response:s}=await this.home.callService(V,"send_message",{config_entry_id:this.entryId,to:t,message:e},void 0,!1,!0);return s?.messages[0]??{to:t}}catch(s){throw new Error(await ye(this.home,s))}}ask(t,e={}){return this.home.callWS({type:`${V}/${t}`,entry_id:this.entryId,...e})}};async function ye(r,t){let{translation_key:e,translation_domain:s=V}=t;return(e?await ot(r,s,e,t.translation_placeholders):"")||t.message||t.code||""}function nt(r,t){let e=t&&t!=="other"?`rejected_${t}`:"rejected";return ot(r,V,e)}async function ot(r,t,e,s){try{return(await r.loadBackendTranslation?.("exceptions",t))?.(`component.${t}.exceptions.${e}.message`,s)??""}catch{return""}}function L(r){return Oe`<svg viewBox="0 0 24 24" aria-hidden="true"><path d=${r} /></svg>`}var at=L("M20,11V13H8L13.5,18.5L12.08,19.92L4.16,12L12.08,4.08L13.5,5.5L8,11H20Z"),dt=L("M19,13H13V19H11V13H5V11H11V5H13V11H19V13Z"),Vt=L("M12,20A8,8 0 0,0 20,12A8,8 0 0,0 12,4A8,8 0 0,0 4,12A8,8 0 0,0 12,20M12,2A10,10 0 0,1 22,12A10,10 0 0,1 12,22C6.47,22 2,17.5 2,12A10,10 0 0,1 12,2M12.5,7V12.25L17,14.92L16.25,16.15L11,13V7H12.5Z"),jt=L("M21,7L9,19L3.5,13.5L4.91,12.09L9,16.17L19.59,5.59L21,7Z"),Bt=L("M0.41,13.41L6,19L7.41,17.58L1.83,12M22.24,5.58L11.66,16.17L7.5,12L6.07,13.41L11.66,19L23.66,7M18,7L16.59,5.58L10.24,11.93L11.66,13.34L18,7Z"),re=L("M13,13H11V7H13M13,17H11V15H13M12,2A10,10 0 0,0 2,12A10,10 0 0,0 12,22A10,10 0 0,0 22,12A10,10 0 0,0 12,2Z"),lt={queued:Vt,sent:jt,delivered:Bt,undelivered:re,failed:re,canceled:re,unknown:re};var Kt={known:"known",locked:"locked",trusted:"trusted",unknown:"stranger",unproven:"unproven"},qt=new Set(["locked","unproven"]);function $e(r){return qt.has(r)}function ht(r,t){let{trust:e}=r[t];if(!(!e||!$e(e)&&e===Wt(r,t)))return Kt[e]}function Wt(r,t){return r.slice(0,t).findLast(s=>s.direction==="inbound")?.trust??void 0}var pt=60,ft=new Set(["failed","undelivered"]),Ft=new Set([...ft,"canceled","unknown"]),ne=class extends v{constructor(){super(...arguments);this.name="";this.correspondent="";this.messages=[];this.more=!1;this.reasons=new Map;this.isAtEnd=!0;this.resizes=new ResizeObserver(()=>this.stay());this.below=0;this.learn=e=>{let s=mt(e);this.reasons.has(s)||(this.reasons.set(s,""),nt(this.home,e.reason).then(i=>{this.reasons=new Map(this.reasons).set(s,i)}))}}static{this.properties={home:{attribute:!1},say:{attribute:!1},times:{attribute:!1},name:{},correspondent:{},messages:{attribute:!1},more:{type:Boolean},reasons:{state:!0}}}static{this.styles=[A,Ye]}focus(){this.log?.focus()}get log(){return this.renderRoot.querySelector(".log")}connectedCallback(){super.connectedCallback(),this.updateComplete.then(()=>this.log&&this.resizes.observe(this.log))}disconnectedCallback(){super.disconnectedCallback(),this.resizes.disconnect()}stay(){let{log:e}=this;e&&this.isAtEnd&&(e.scrollTop=e.scrollHeight)}willUpdate(e){e.has("correspondent")&&(this.isAtEnd=!0),e.has("messages")&&(this.below=this.log?this.log.scrollHeight-this.log.scrollTop:0,this.messages.filter(ut).forEach(this.learn))}updated(e){let{log:s}=this;if(!s||!e.has("messages"))return;let n=e.get("messages")?.[0]?.message_id!==this.messages[0]?.message_id;this.stay(),n&&!this.isAtEnd&&(s.scrollTop=s.scrollHeight-this.below)}render(){let{say:e}=this;return u`<div
      class="log"
      role="log"
      tabindex="0"
      aria-label=${e("log",{name:this.name})}
      @scroll=${this.noteScroll}
    >
      ${this.more?u`<button class="older" @click=${this.askForOlder}>${e("older")}</button>`:c}
      ${ee(this.messages,s=>s.message_id,(s,i)=>this.renderMessage(s,i))}
    </div>`}renderMessage(e,s){let{times:i}=this,n=this.messages[s-1],o=!n||i.key(n.at)!==i.key(e.at),d=e.direction==="outbound",a=d?this.say("we"):this.say("they",{name:this.name});return u`${o?u`<div class="day">${i.date(e.at)}</div>`:c}
      <div class="message ${d?"outbound":"inbound"}">
        <span class="heard">${a}</span>
        ${e.media.map(p=>u`<virtual-sms-attachment
              .home=${this.home}
              .say=${this.say}
              .media=${p}
            ></virtual-sms-attachment>`)}
        <p class="text" dir="auto">${e.text}</p>
        <div class="meta">
          ${this.renderTrust(e,s)}
          <time datetime=${e.at}>${i.time(e.at)}</time>
          ${e.status?this.renderStatus(e.status):c}
        </div>
        ${this.renderReason(e)}
      </div>`}renderTrust({trust:e},s){let i=ht(this.messages,s);return i?u`<span class="trust ${$e(e)?"warning":""}">${this.say(i)}</span>`:c}renderStatus(e){let s=this.say(e);return u`<span role="img" aria-label=${s} title=${s}
      >${lt[e]??c}</span
    >`}renderReason(e){if(!Ft.has(e.status??""))return c;let s=ut(e)&&this.reasons.get(mt(e)),i=this.say(e.status);return u`<p class="reason">${s?`${i}. ${s}`:`${i}.`}</p>`}noteScroll(){let{log:e}=this;e&&(this.isAtEnd=e.scrollHeight-e.scrollTop-e.clientHeight<pt,e.scrollTop<pt&&this.more&&!this.isAtEnd&&this.askForOlder())}askForOlder(){this.isAtEnd=!1,this.dispatchEvent(new CustomEvent("older"))}};function ut(r){return ft.has(r.status??"")}function mt(r){return r.reason??"other"}var j=class{constructor(){this.threads=[];this.conversations=new Map}get(t){return this.conversations.get(t)}find(t){return this.threads.find(e=>e.correspondent===t)}begin(t){this.threads=t,this.conversations.clear()}add(t,e){let s=this.conversations.get(t)?.messages??[],i=new Set(s.map(o=>o.message_id)),n=e.messages.filter(o=>!i.has(o.message_id)).reverse();this.conversations.set(t,{messages:[...n,...s],more:e.more})}apply(t){switch(t.kind){case"message":return this.addMessage(t);case"status":return this.move(t);case"read":return this.changeThread(t.correspondent,{unread:0})}}addMessage(t){let{kind:e,correspondent:s,contact:i,contact_id:n,...o}=t,d=this.conversations.get(s);if(d?.messages.some(h=>h.message_id===o.message_id))return;if(d){let h=[...d.messages,o].sort(Zt);this.conversations.set(s,{...d,messages:h})}let a=this.find(s),p=!a||!Gt(o.at,a.last_at),f=(a?.unread??0)+(o.direction==="inbound"?1:0),l={correspondent:s,contact:i,contact_id:n,last_at:p?o.at:a.last_at,last_text:p?o.text:a.last_text,unread:f};this.threads=[l,...this.threads.filter(h=>h!==a)].sort((h,m)=>Date.parse(m.last_at)-Date.parse(h.last_at))}move({correspondent:t,message_id:e,status:s,reason:i}){let n=this.conversations.get(t);if(n){let o=n.messages.map(d=>d.message_id===e?{...d,status:s,reason:i}:d);this.conversations.set(t,{...n,messages:o})}}changeThread(t,e){this.threads=this.threads.map(s=>s.correspondent===t?{...s,...e}:s)}};function Gt(r,t){return Date.parse(r)<Date.parse(t)}function Zt(r,t){return Date.parse(r.at)-Date.parse(t.at)}var oe=class{constructor(t,e,s=Date.now){this.say=e;this.now=s;let i=t.locale??{language:t.language},{language:n,time_format:o,time_zone:d}=i;this.zone=d==="server"?t.config?.time_zone:void 0;let a=o==="12"?!0:o==="24"?!1:void 0;this.clock=this.make(n,{hour:"numeric",minute:"2-digit",hour12:a}),this.day=this.make(n,{day:"numeric",month:"long",year:"numeric"}),this.sortable=this.make("en-CA",{day:"2-digit",month:"2-digit",year:"numeric"})}time(t){return this.clock.format(new Date(t))}date(t){let e=this.key(t),s=this.now();return e===this.key(s)?this.say("today"):e===this.key(s-864e5)?this.say("yesterday"):this.day.format(new Date(t))}short(t){return this.key(t)===this.key(this.now())?this.time(t):this.date(t)}key(t){return this.sortable.format(new Date(t))}make(t,e){return new Intl.DateTimeFormat(t,{...e,timeZone:this.zone})}};var M="",gt=[2e3,5e3,15e3,6e4],be=class extends v{constructor(){super(...arguments);this.problem="";this.sends=!1;this.sendProblem="";this.say=R("en");this.inbox=new j;this.drafts=new Map;this.loading=new Set;this.turn=0;this.failures=0;this.simplifies=!0;this.load=async()=>{let{turn:e}=this;try{let[s,{simplify:i}]=await Promise.all([this.line.listThreads(),this.line.describe()]);if(e!==this.turn)return;this.simplifies=i,this.inbox.begin(s),this.problem="",this.failures=0,this.requestUpdate(),this.current&&await this.readOlder(this.current)}catch(s){await this.fail(s,e)}};this.noteRead=()=>{let{current:e}=this,s=e?this.inbox.find(e)?.unread??0:0;e&&s&&document.visibilityState==="visible"&&(this.inbox.apply({kind:"read",correspondent:e}),this.line?.markRead(e).catch(()=>{}),this.requestUpdate())}}static{this.properties={layout:{reflect:!0},config:{state:!0},current:{state:!0},problem:{state:!0},sends:{state:!0},sendProblem:{state:!0}}}static{this.styles=[A,Ze]}static{this.getConfigForm=it}static getStubConfig(e){let s=rt(e);return s?{config_entry_id:s}:{}}setConfig(e){let s=e.config_entry_id!==this.config?.config_entry_id;this.config=e,s&&(this.current=void 0,this.inbox=new j,this.drafts.clear(),this.reconnect())}getCardSize(){return 8}getGridOptions(){return{columns:12,rows:8,min_columns:6,min_rows:5}}set hass(e){let s=this.home;this.home=e,(s?.locale!==e.locale||s?.language!==e.language)&&(this.say=R(e.language),this.times=new oe(e,this.say),this.requestUpdate()),s?.connection!==e.connection&&this.reconnect()}connectedCallback(){super.connectedCallback(),document.addEventListener("visibilitychange",this.noteRead),this.reconnect()}disconnectedCallback(){super.disconnectedCallback(),document.removeEventListener("visibilitychange",this.noteRead),this.disconnect()}get line(){let e=this.config?.config_entry_id;return this.home&&e?new ie(this.home,e):void 0}disconnect(){this.turn+=1,clearTimeout(this.retry),this.followed?.removeEventListener?.("ready",this.load),this.followed=void 0,this.unsubscribe?.(),this.unsubscribe=void 0}reconnect(){this.disconnect(),this.isConnected&&this.line&&this.connect(this.turn)}async connect(e){try{let s=await this.line.follow(i=>this.handle(i,e));if(e!==this.turn){await s();return}this.unsubscribe=s,this.followed=this.home.connection,this.followed.addEventListener?.("ready",this.load)}catch(s){await this.fail(s,e);return}await this.load()}async fail(e,s){let i=await ye(this.home,e);if(s===this.turn){this.problem=i;let n=gt[Math.min(this.failures,gt.length-1)];this.failures+=1,this.retry=setTimeout(()=>this.reconnect(),n)}}handle(e,s){s===this.turn&&(this.inbox.apply(e),this.noteRead(),this.requestUpdate())}async readOlder(e){let s=this.inbox.get(e);if(this.loading.has(e)||s&&!s.more)return;this.loading.add(e);let{inbox:i,turn:n}=this;try{let o=s?.messages[0]?.message_id;i.add(e,await this.line.readPage(e,o)),this.noteRead(),this.requestUpdate()}catch(o){await this.fail(o,n)}finally{this.loading.delete(e)}}async open(e){this.current=e,this.sendProblem="",this.noteRead(),await this.updateComplete;let s=this.canAnswer?"virtual-sms-composer":"virtual-sms-conversation";this.renderRoot.querySelector(s)?.focus(),e&&await this.readOlder(e)}async close(){let{current:e}=this;this.current=void 0,await this.updateComplete,([...this.renderRoot.querySelectorAll("li button")].find(n=>n.dataset.correspondent===e)??this.renderRoot.querySelector(".new"))?.focus()}press(e){e.key==="Escape"&&this.current!==void 0&&(e.stopPropagation(),this.close())}keepDraft(e,s){this.drafts.set(e,s),this.requestUpdate()}async send(e){let{text:s,recipient:i}=e.detail,{current:n=M}=this;this.sends=!0,this.sendProblem="";try{let{to:o}=await this.line.send(n||i,s);this.drafts.delete(n),n===M&&this.current===M&&await this.open(o)}catch(o){this.sendProblem=o.message}finally{this.sends=!1}}get canAnswer(){return this.current===M||/^\+\d{6,}$/.test(this.current??"")}shouldUpdate(e){return this.home!==void 0&&super.shouldUpdate(e)}render(){let{say:e}=this;return u`<ha-card @keydown=${this.press}>
      ${this.renderHeader()}
      ${this.problem?u`<div class="problem" role="alert">${this.problem}</div>`:c}
      ${this.config?.config_entry_id?u`<div class="panes ${this.current===void 0?"":"open"}">
            <nav aria-label=${e("conversations")}>${this.renderThreads()}</nav>
            ${this.renderConversation()}
          </div>`:u`<p class="hint">${e("notConfigured")}</p>`}
    </ha-card>`}renderHeader(){let{current:e,say:s}=this,i=this.config?.title||s("conversations");return u`<header>
      ${e===void 0?c:u`<button class="icon back" aria-label=${s("back")} @click=${this.close}>
            ${at}
          </button>`}
      <h2>${e===void 0?i:this.nameOf(e)}</h2>
      <button
        class="icon new"
        aria-label=${s("newMessage")}
        title=${s("newMessage")}
        ?disabled=${!this.config?.config_entry_id}
        @click=${()=>this.open(M)}
      >
        ${dt}
      </button>
    </header>`}renderThreads(){let{threads:e}=this.inbox;return e.length?u`<ul>
      ${ee(e,s=>s.correspondent,s=>this.renderThread(s))}
    </ul>`:u`<p class="hint">${this.problem?c:this.say("empty")}</p>`}renderThread(e){let{correspondent:s,unread:i}=e;return u`<li>
      <button
        class=${i?"unread":""}
        data-correspondent=${s}
        aria-current=${s===this.current?"true":"false"}
        @click=${()=>this.open(s)}
      >
        <span class="name" dir="auto">${e.contact??s}</span>
        <time class="when" datetime=${e.last_at}>${this.times.short(e.last_at)}</time>
        <span class="last" dir="auto">${e.last_text}</span>
        ${i?u`<span class="count"
              ><span class="heard">${this.say("unread",{count:i})}</span
              ><span aria-hidden="true">${i}</span></span
            >`:c}
      </button>
    </li>`}renderConversation(){let{current:e,say:s}=this;if(e===void 0)return u`<section><p class="hint">${s("choose")}</p></section>`;let i=this.nameOf(e),n=this.inbox.get(e);return u`<section aria-label=${i}>
      <virtual-sms-conversation
        .home=${this.home}
        .say=${s}
        .times=${this.times}
        .name=${i}
        .correspondent=${e}
        .messages=${n?.messages??[]}
        .more=${n?.more??!1}
        @older=${()=>this.readOlder(e)}
      ></virtual-sms-conversation>
      ${this.canAnswer?u`<virtual-sms-composer
            .say=${s}
            .isNew=${e===M}
            .sends=${this.sends}
            .simplifies=${this.simplifies}
            .problem=${this.sendProblem}
            .text=${this.drafts.get(e)??""}
            @draft=${o=>this.keepDraft(e,o.detail)}
            @send=${this.send}
          ></virtual-sms-composer>`:u`<p class="hint">${s("noAnswer")}</p>`}
    </section>`}nameOf(e){return e===M?this.say("newMessage"):this.inbox.find(e)?.contact??e}},Yt={"virtual-sms-attachment":te,"virtual-sms-composer":se,"virtual-sms-conversation":ne,"virtual-sms-card":be};for(let[r,t]of Object.entries(Yt))customElements.get(r)||customElements.define(r,t);window.customCards??=[];window.customCards.push({type:"virtual-sms-card",name:"Virtual SMS",description:R(navigator.language)("description"),preview:!1,documentationURL:"https://github.com/virtual-sms/virtual-sms"});export{be as VirtualSmsCard};

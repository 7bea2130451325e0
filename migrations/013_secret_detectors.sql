-- Whether a key of a payload names something that must not be kept. Collation "C", so that the case
-- of ASCII letters is folded alike everywhere (in Turkish, API_KEY is not api_key).
CREATE FUNCTION fanfare.names_secret(key text) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN key COLLATE "C" ~* '(password|passwd|passphrase|passcode|secret|authori[sz]ation|credential|cookie|(api|private|access|signing|encryption)[^a-z0-9]{0,2}key|(access|refresh|auth)[^a-z0-9]{0,2}token)|(token|(^|[^a-z])(pwd|jwt|bearer))[^a-z0-9]*$';

-- Whether a text holds what looks like a secret: a private key, a bearer or web token, a key with a
-- well-known beginning, an address with a password in it; or a name of one with a value behind it,
-- as in a query or in JSON that became a text.
CREATE FUNCTION fanfare.looks_secret(value text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN value COLLATE "C" ~ (
           '-----BEGIN [A-Z0-9 ]*PRIVATE KEY'
        || '|(^|[^A-Za-z0-9_])('
        ||   'eyJ[A-Za-z0-9_-]{8,}[.][A-Za-z0-9_-]{8,}[.]|A[KS]IA[0-9A-Z]{16}|gh[oprsu]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}'
        ||   '|xox[a-z]-[A-Za-z0-9-]{10,}|[rs]k_(live|test)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/]{16,}|sk-[A-Za-z0-9_-]{20,}|AIza[A-Za-z0-9_-]{30,}'
        ||   '|npm_[A-Za-z0-9]{30,}|hf_[A-Za-z0-9]{30,}|SG[.][A-Za-z0-9_-]{16,}[.][A-Za-z0-9_-]{16,}|dop_v1_[0-9a-f]{32,}|shp(at|ca|pa|ss)_[0-9a-fA-F]{32}'
        || ')'
        || '|[Bb][Ee][Aa][Rr][Ee][Rr][ +]+[A-Za-z0-9._~+/=-]{12,}'
        || '|[A-Za-z0-9+.-]://[^/?# :]*:[^/?# @]+@')
      OR lower(value COLLATE "C") ~ (
           '(password|passwd|passphrase|passcode|pwd|secret|token|(api|access|account|private|signing|encryption)[-_. ]?key|authori[sz]ation|credentials?|cookie)'
        || '([^a-z0-9 =:]{0,8}=[^a-z0-9]{0,8}[^ ]{3}|[^a-z0-9 =:]{1,8} ?: ?[^a-z0-9 ]{1,8}[^ ]{3}|[^a-z0-9 =:]{0,7}["''] ?: ?[0-9]{4})'
        || '|(authorization|cookie|api-key|-token|-secret|-password): *((basic|digest|token) +)?[^ ]{6}');

-- What a text must hold before it is worth looking closer: a net with a wider mesh than
-- names_secret and looks_secret.
CREATE FUNCTION fanfare.may_hold_secret(value text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN lower(value COLLATE "C") LIKE ANY (ARRAY['%pass%', '%secret%', '%authori%', '%credential%', '%cookie%', '%key%', '%token%', '%pwd%', '%jwt%', '%bearer%',
        '%eyj%', '%akia%', '%asia%', '%ghp_%', '%gho_%', '%ghr_%', '%ghs_%', '%ghu_%', '%github_pat%', '%glpat-%', '%xox%', '%k_live%', '%k_test%', '%sk-%', '%whsec%',
        '%aiza%', '%npm_%', '%hf_%', '%sg.%', '%dop_v%', '%shp%', '%://%']);

REVOKE ALL ON FUNCTION
    fanfare.names_secret,
    fanfare.looks_secret,
    fanfare.may_hold_secret
FROM PUBLIC;

---- create above / drop below ----

DROP FUNCTION fanfare.may_hold_secret;
DROP FUNCTION fanfare.looks_secret;
DROP FUNCTION fanfare.names_secret;

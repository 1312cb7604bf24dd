"""Which functions HogQL knows, and how many arguments each takes.

Names and counts are those of PostHog's tables; what ClickHouse knows beyond them is refused there, so here too.
Left out on purpose, although the newest servers have them: ``arrayReduce``, ``toDateTime64``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches

from tests.servers.hogql_parse import Node
from tests.servers.refusal import invalid


@dataclass(frozen=True)
class Function:
    """How a function is called."""

    name: str
    """ClickHouse's name of it."""
    least: int
    most: int | None
    aggregate: bool = False
    params: tuple[int, int | None] = (0, 0)
    timezone: bool = False
    """Whether the project's time zone is added as the last argument where none is given."""
    suffix: str | None = None
    """An argument that is added."""
    any_case: bool = False


# ``name:arguments`` with ``n``, ``n-m`` or ``n+``; ``name=other`` where ClickHouse calls it otherwise.
_PLAIN = """
plus:2 minus:2 multiply:2 divide:2 intDiv:2 intDivOrZero:2 modulo:2 moduloOrZero:2 positiveModulo:2 negate:1 gcd:2
lcm:2 multiplyDecimal:2-3 divideDecimal:2-3
empty:1 notEmpty:1 isEmpty=empty:1 isNotEmpty=notEmpty:1
array:0+ range:1-3 arrayConcat:2+ arrayElement:2 has:2 hasAll:2 hasAny:2 hasSubstr:2 indexOf:2 arrayCount:1+
countEqual:2 arrayEnumerate:1 arrayEnumerateUniq:2+ arrayPopBack:1 arrayPopFront:1 arrayPushBack:2 arrayPushFront:2
arrayResize:2-3 arraySlice:2-3 arraySort:1+ arrayReverseSort=arraySort:1+ arrayUniq:1+ arrayJoin:1 arrayDifference:1
arrayDistinct:1 arrayEnumerateDense:1 arrayIntersect:1+ arrayReverse:1 arrayFilter:2+ arrayFlatten:1 arrayCompact:1
arrayZip:2+ arrayAUC:2 arrayMap:2+ arrayFill:2+ arrayFold:3+ arrayWithConstant:2 arraySplit:2+ arrayReverseFill:2+
arrayReverseSplit:2+ arrayRotateLeft:2 arrayRotateRight:2 arrayExists:1+ arrayAll:1+ arrayFirst:2+ arrayLast:2+
arrayFirstIndex:2+ arrayLastIndex:2+ arrayMin:1-2 arrayMax:1-2 arraySum:1-2 arrayAvg:1-2 arrayCumSum:1+
arrayCumSumNonNegative:1+ arrayProduct:1 arrayStringConcat:1-2
and:2+ or:2+ xor:2+ not:1 multiIf:3+
hex:1 unhex:1 reinterpretAsUInt8:1 reinterpretAsUInt16:1 reinterpretAsUInt32:1 reinterpretAsUInt64:1
reinterpretAsInt32:1 reinterpretAsInt64:1 reinterpretAsFloat32:1 reinterpretAsFloat64:1 reinterpretAsUUID:1
toIntOrZero=toInt64OrZero:1 _toInt64=toInt64:1 _toUInt64=toUInt64:1 _toDate=toDate:1 toFloatOrZero=toFloat64OrZero:1
toFloatOrDefault=toFloat64OrDefault:1-2 toUUIDOrDefault:2 toString:1-2 toBool:1 toJSONString:1 toTypeName:1
cityHash64:1 isNotNull:1 assumeNotNull:1 toNullable:1
timeZoneOf:1 timeZoneOffset:1 toYear:1 toQuarter:1 toMonth:1 toDayOfYear:1 toDayOfMonth:1 toDayOfWeek:1-3 toHour:1
toMinute:1 toSecond:1 toUnixTimestamp:1-2 toUnixTimestamp64Milli:1 fromUnixTimestamp64Milli:1 toStartOfInterval:2-3
toStartOfYear:1 toStartOfISOYear:1 toStartOfQuarter:1 toStartOfMonth:1 toLastDayOfMonth:1 toMonday:1
toStartOfWeek:1-2 toStartOfDay:1-2 toLastDayOfWeek:1-2 toStartOfHour:1 toStartOfMinute:1 toStartOfSecond:1
toStartOfFiveMinutes:1 toStartOfTenMinutes:1 toStartOfFifteenMinutes:1 toTime:1 toISOYear:1 toISOWeek:1 toWeek:1-3
toYearWeek:1-3 age:3 dateAdd:2-3 dateSub:2-3 dateDiff:3 date_diff=dateDiff:3 dateTrunc:2-3 date_trunc=dateTrunc:2-3
timeStampAdd:2 timeStampSub:2 nowInBlock:1 rowNumberInBlock:0 rowNumberInAllBlocks:0 timeSlot:1 toYYYYMM:1
toYYYYMMDD:1 toYYYYMMDDhhmmss:1 addYears:2 addMonths:2 addWeeks:2 addDays:2 addHours:2 addMinutes:2 addSeconds:2
addQuarters:2 subtractYears:2 subtractMonths:2 subtractWeeks:2 subtractDays:2 subtractHours:2 subtractMinutes:2
subtractSeconds:2 subtractQuarters:2 timeSlots:2-3 formatDateTime:2-3 dateName:2 monthName:1 fromUnixTimestamp:1
today:0 yesterday:0 current_date=today:0 make_date=makeDate:3 toIntervalSecond:1 toIntervalMinute:1 toIntervalHour:1
toIntervalDay:1 toIntervalWeek:1 toIntervalMonth:1 toIntervalQuarter:1 toIntervalYear:1
left=leftUTF8:2 right=rightUTF8:2 lengthUTF8:1 leftPad:2-3 rightPad:2-3 leftPadUTF8:2-3 rightPadUTF8:2-3 lowerUTF8:1
upperUTF8:1 isValidUTF8:1 toValidUTF8:1 format:2+ reverseUTF8:1 substringUTF8:3 appendTrailingCharIfAbsent:2
convertCharset:3 base58Encode:1 base58Decode:1 tryBase58Decode:1 base64Encode:1 base64Decode:1 tryBase64Decode:1
endsWith:2 startsWith:2 encodeXMLComponent:1 decodeXMLComponent:1 extractTextFromHTML:1 concatWithSeparator:2+
positionCaseInsensitive:2-3 positionUTF8:2-3 positionCaseInsensitiveUTF8:2-3 multiSearchAllPositions:2
multiSearchFirstPosition:2 multiSearchFirstIndex:2 multiSearchAny:2 multiSearchAllPositionsCaseInsensitive:2
multiSearchAnyUTF8:2 multiSearchAnyCaseInsensitive:2 multiSearchAnyCaseInsensitiveUTF8:2 match:2 multiMatchAny:2
multiMatchAnyIndex:2 multiMatchAllIndices:2 extractAll:2 extractAllGroupsHorizontal:2 extractAllGroupsVertical:2
extractGroups:2 like:2 ilike:2 notLike:2 notILike:2 locate:2-3 ngramDistance:2 ngramSearch:2 countSubstrings:2-3
countSubstringsCaseInsensitive:2-3 countMatches:2 countMatchesCaseInsensitive:2 hasSubsequence:2 hasToken:2
hasTokenCaseInsensitive:2 hasTokenOrNull:2 regexpExtract:2-3 replaceAll:3 replaceOne:3 replaceRegexpAll:3
replaceRegexpOne:3 regexpQuoteMeta:1 translate:3 translateUTF8:3 splitByChar:2-3 splitByString:2-3 splitByRegexp:2-3
splitByWhitespace:1-2 splitByNonAlpha:1-2 alphaTokens:1-2 extractAllGroups:2 ngrams:2 tokens:1 repeat:2 initcap:1
lpad:3 rpad:3 ltrim=trimLeft:1-2 trimLeft:1-2 rtrim=trimRight:1-2 trimRight:1-2
e:0 pi:0 exp2:1 exp10:1 cbrt:1 erf:1 erfc:1 lgamma:1 tgamma:1 intExp2:1 intExp10:1 cosh:1 acosh:1 sinh:1 asinh:1
atanh:1 atan2:2 hypot:2 log1p:1 width_bucket:4 roundBankers:1-2 roundToExp2:1 roundDuration:1 roundAge:1 roundDown:2
rand:0
map:2+ mapFromArrays:2 mapAdd:2+ mapSubtract:2+ mapPopulateSeries:1-3 mapContains:2 mapKeys:1 mapValues:1
mapContainsKeyLike:2 mapExtractKeyLike:2 mapApply:2 mapFilter:2 mapUpdate:2
bitAnd:2 bitOr:2 bitXor:2 bitNot:1 bitShiftLeft:2 bitShiftRight:2 bitRotateLeft:2 bitRotateRight:2 bitSlice:3
bitTest:2 bitTestAll:3+ bitTestAny:3+ bitCount:1 bitHammingDistance:2
protocol:1 domain:1 domainWithoutWWW:1 topLevelDomain:1 firstSignificantSubdomain:1 port:1-2 path:1 pathFull:1
queryString:1 fragment:1 queryStringAndFragment:1 extractURLParameter:2 extractURLParameters:1
extractURLParameterNames:1 encodeURLComponent:1 decodeURLComponent:1 netloc:1 cutWWW:1 cutQueryString:1 cutFragment:1
cutQueryStringAndFragment:1 cutURLParameter:2
isValidJSON:1 JSONHas:1+ JSONLength:1+ JSONArrayLength:1+ JSONType:1+ JSONExtract:2+ JSONExtractUInt:1+
JSONExtractInt:1+ JSONExtractFloat:1+ JSONExtractBool:1+ JSONExtractString:1+ JSONExtractKey:1+ JSONExtractKeys:1+
JSONExtractRaw:1+ JSONExtractArrayRaw:1+ JSONExtractKeysAndValues:1-3 JSONExtractKeysAndValuesRaw:1+ JSON_VALUE:2+
greatCircleDistance:4 geoDistance:4 pointInPolygon:2+ geohashEncode:2-3 geohashDecode:1
tuple:0+ tupleElement:2-3 untuple:1 tupleHammingDistance:2 tupleToNameValuePairs:1 tuplePlus:2 tupleMinus:2
tupleMultiply:2 tupleDivide:2 tupleNegate:1 tupleMultiplyByNumber:2 tupleDivideByNumber:2 dotProduct:2
isFinite:1 isInfinite:1 ifNotFinite:1 isNaN:1 bar:4 transform:3-4 formatReadableDecimalSize:1 formatReadableSize:1
formatReadableQuantity:1 formatReadableTimeDelta:1-2 indexHint:1
L1Norm:1 L2Norm:1 LinfNorm:1 LpNorm:2 L1Distance:2 L2Distance:2 LinfDistance:2 LpDistance:3 L1Normalize:1
L2Normalize:1 LinfNormalize:1 LpNormalize:2 cosineDistance:2
rank:0 dense_rank:0 row_number:0 first_value:1 last_value:1 nth_value:2 lagInFrame:1-3 leadInFrame:1-3
_caseWithExpression=caseWithExpression:3+ exists:1
"""
_ANY_CASE = """
abs:1 max2:2 min2:2 length:1 reverse:1 isnull=isNull:1 coalesce:1+ ifnull=ifNull:2 nullif=nullIf:2 if:3 least:2
greatest:2 lower:1 upper:1 concat:2+ substring:3 ascii:1 position:2-3 extract:2 replace:3 trim:1-2 btrim=trim:1-2
exp:1 log:1 ln:1 log2:1 log10:1 sqrt:1 sin:1 cos:1 tan:1 asin:1 acos:1 atan:1 pow:2 power:2 sign:1 degrees:1
radians:1 factorial:1 floor:1-2 ceil:1-2 trunc:1-2 round:1-2
"""
_AGGREGATES = """
countIf:1-2 countState:0-1 countMerge:1 countDistinct:1 countDistinctIf:1-2 minIf:2 maxIf:2 sumIf:2 avgIf:2
any:1 anyIf:2 stddevPop:1 stddevPopIf:2 stddevSamp:1 stddevSampIf:2 varPop:1 varPopIf:2 varSamp:1 varSampIf:2
covarPop:2 covarPopIf:3 covarSamp:2 covarSampIf:3 corr:2 array_agg=groupArray:1 groupArray:1 anyHeavy:1 anyHeavyIf:2
anyLast:1 anyLastIf:2 argMin:2 argMinIf:3 argMax:2 argMaxIf:3 argMinMerge:1 argMaxMerge:1 argMinState:2 argMaxState:2
avgState:1 avgMerge:1 avgWeighted:2 avgWeightedIf:3 groupArrayIf:2 groupUniqArray:1 groupUniqArrayIf:2
groupArrayInsertAt:2 groupArrayMovingAvg:1 groupArrayMovingSum:1 groupBitAnd:1 groupBitOr:1 groupBitXor:1
groupBitmap:1 sumWithOverflow:1 deltaSum:1 deltaSumIf:2 deltaSumTimestamp:2 sumMap:1-2 sumMapIf:2-3 minMap:1-2
maxMap:1-2 sumMerge:1 sumState:1 skewSamp:1 skewSampIf:2 skewPop:1 kurtSamp:1 kurtSampIf:2 kurtPop:1 uniq:1+
uniqIf:2+ uniqExact:1+ uniqExactState:1+ uniqExactMerge:1+ uniqExactIf:2+ uniqHLL12:1+ uniqHLL12If:2+ uniqTheta:1+
uniqThetaIf:2+ uniqMerge:1 uniqState:1 medianExact:1 medianExactIf:2 medianExactLow:1 medianExactHigh:1
medianTiming:1 medianDeterministic:1 medianTDigest:1 medianTDigestIf:2 medianBFloat16:1 simpleLinearRegression:2
simpleLinearRegressionIf:3 contingency:2 cramersV:2 theilsU:2 maxIntersections:2 maxIntersectionsPosition:2
windowFunnel:1-99 quantiles:1+
"""
_PARAMETRIC = """
topK:1 quantile:1 quantileIf:2 quantilesIf:2 quantileExact:1 groupArraySample:1 groupArraySampleIf:2
"""
_ZONED = """
parseDateTime=parseDateTimeOrNull:2-3 parseDateTimeBestEffort=parseDateTime64BestEffortOrNull:1-2
toDateTimeUS=parseDateTime64BestEffortUSOrNull:1-2 toDateTime=parseDateTime64BestEffortOrNull:1-2
current_timestamp=now64:0 UUIDv7ToDateTime:1 to_char=formatDateTime:2-3 toTimeZone:1-2
"""
_CAST = {"toInt": "Int64", "toFloat": "Float64", "toUUID": "UUID", "toNullableString": "Nullable(String)"}
_COMBINED = re.compile(
    r"(avg|sum|min|max|count|countDistinct|median)"
    r"(If|((Array|Map|State|Merge|ForEach|ArgMin|ArgMax)(If|(OrDefault|OrNull)(If)?)?)|(OrDefault|OrNull)(If)?)"
)
_ARITY = re.compile(r"(\w+?)(?:=(\w+))?:(\d+)(-|\+)?(\d+)?")


def _read(text: str, **more: object) -> dict[str, Function]:
    found = {}
    for name, other, least, more_sign, most in _ARITY.findall(text):
        top = None if more_sign == "+" else int(most or least)
        found[name] = Function(other or name, int(least), top, **more)  # type: ignore[arg-type]
    return found


FUNCTIONS: dict[str, Function] = {
    **_read(_PLAIN),
    **_read(_ANY_CASE, any_case=True),
    **_read(_ZONED, timezone=True),
    "now": Function("now64", 0, 1, timezone=True, any_case=True),
    "toDate": Function("toDateOrNull", 1, 1),
    "to_date": Function("toDateOrNull", 1, 1),
    "toDecimal": Function("accurateCastOrNull", 2, 2),
    **{name: Function("accurateCastOrNull", 1, 1, suffix=to) for name, to in _CAST.items()},
}
AGGREGATES: dict[str, Function] = {
    **_read(_AGGREGATES, aggregate=True),
    **_read(_PARAMETRIC, aggregate=True, params=(1, 2)),
    **_read("count:0-1 min:1 max:1 sum:1 avg:1", aggregate=True, any_case=True),
    **_read("median:1", aggregate=True),
}


def aggregate(name: str) -> Function | None:
    """Find an aggregate function."""
    found = _find(AGGREGATES, name)
    if found or not _COMBINED.fullmatch(name):
        return found
    more = sum(name.count(suffix) for suffix in ("If", "ArgMin", "ArgMax"))
    least = 0 if name.startswith("count") and not name.startswith("countDistinct") else 1
    return Function(name, least + more, 1 + more, aggregate=True)


def _find(functions: dict[str, Function], name: str) -> Function | None:
    if name in functions:
        return functions[name]
    lowered = functions.get(name.lower())
    return lowered if lowered and lowered.any_case else None


def find(node: Node) -> Function:
    """Find the function of a call and check what it is given.

    Raises:
        Refused: HogQL does not know it, or not with so many arguments.
    """
    name, args, params = node["name"], node.get("args") or [], node.get("params")
    found = aggregate(name) or _find(FUNCTIONS, name)
    if found is None:
        near = get_close_matches(name, [*FUNCTIONS, *AGGREGATES], 1)
        meant = f" Perhaps you meant '{near[0]}(...)'?" if near else ""
        raise invalid(
            f"Unsupported function call '{name}(...)'{'.' if near else ''}{meant}", "unknown_function"
        )
    term = "Aggregation" if found.aggregate else "Function"
    _counted(args, found.least, found.most, name, term, "argument")
    if found.params[0]:
        if params is None:
            raise invalid(f"{term} '{name}' requires parameters in addition to arguments")
        _counted(params, *found.params, name, term, "parameter")
    return found


def _counted(args: list[Node], least: int, most: int | None, name: str, term: str, what: str) -> None:
    given = len(args)
    if least <= given and (most is None or given <= most):
        return
    wanted = f"{least}" if least == most else f"at least {least}" if given < least else f"at most {most}"
    count = least if given < least or least == most else most
    raise invalid(f"{term} '{name}' expects {wanted} {what}{'' if count == 1 else 's'}, found {given}")

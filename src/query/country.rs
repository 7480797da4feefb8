//! Countries: the codes of ISO 3166-1, of two letters and of three, and names in five languages.

use crate::query::Code;

/// The code of two letters and that of three, of every country, as of 2024, and those that are used for Kosovo.
const CODES: &str = "\
    adand aeare afafg agatg aiaia alalb amarm aoago aqata ararg asasm ataut auaus awabw axala azaze babih bbbrb \
    bdbgd bebel bfbfa bgbgr bhbhr bibdi bjben blblm bmbmu bnbrn bobol bqbes brbra bsbhs btbtn bvbvt bwbwa byblr \
    bzblz cacan cccck cdcod cfcaf cgcog chche ciciv ckcok clchl cmcmr cnchn cocol crcri cucub cvcpv cwcuw cxcxr \
    cycyp czcze dedeu djdji dkdnk dmdma dodom dzdza ececu eeest egegy ehesh ereri esesp eteth fifin fjfji fkflk \
    fmfsm fofro frfra gagab gbgbr gdgrd gegeo gfguf ggggy ghgha gigib glgrl gmgmb gngin gpglp gqgnq grgrc gssgs \
    gtgtm gugum gwgnb gyguy hkhkg hmhmd hnhnd hrhrv hthti huhun ididn ieirl ilisr imimn inind ioiot iqirq irirn \
    isisl itita jejey jmjam jojor jpjpn keken kgkgz khkhm kikir kmcom knkna kpprk krkor kwkwt kycym kzkaz lalao \
    lblbn lclca lilie lklka lrlbr lslso ltltu lulux lvlva lylby mamar mcmco mdmda memne mfmaf mgmdg mhmhl mkmkd \
    mlmli mmmmr mnmng momac mpmnp mqmtq mrmrt msmsr mtmlt mumus mvmdv mwmwi mxmex mymys mzmoz nanam ncncl nener \
    nfnfk ngnga ninic nlnld nonor npnpl nrnru nuniu nznzl omomn papan peper pfpyf pgpng phphl pkpak plpol pmspm \
    pnpcn prpri pspse ptprt pwplw pypry qaqat rereu rorou rssrb rurus rwrwa sasau sbslb scsyc sdsdn seswe sgsgp \
    shshn sisvn sjsjm sksvk slsle smsmr snsen sosom srsur ssssd ststp svslv sxsxm sysyr szswz tctca tdtcd tfatf \
    tgtgo ththa tjtjk tktkl tltls tmtkm tntun toton trtur tttto tvtuv twtwn tztza uaukr uguga umumi ususa uyury \
    uzuzb vavat vcvct veven vgvgb vivir vnvnm vuvut wfwlf wswsm xkxkx yeyem ytmyt zazaf zmzmb zwzwe";

/// Names, of those that are written most.
const NAMES: &[(&str, &str)] = &[
    ("us", "united states|united states of america|vereinigte staaten|stati uniti|estados unidos"),
    ("gb", "united kingdom|great britain|großbritannien|storbritannien|regno unito|reino unido"),
    ("de", "ger|germany|deutschland|tyskland|germania|alemania"),
    ("at", "austria|österreich|österrike"),
    ("ch", "switzerland|schweiz|svizzera|suiza"),
    ("se", "sweden|schweden|sverige|svezia|suecia"),
    ("no", "norway|norwegen|norge|norvegia|noruega"),
    ("dk", "denmark|dänemark|danmark|danimarca|dinamarca"),
    ("fi", "finland|finnland|finlandia"),
    ("it", "italy|italien|italia"),
    ("es", "spain|spanien|spagna|españa"),
    ("fr", "france|frankreich|frankrike|francia"),
    ("pt", "portugal|portogallo"),
    ("nl", "netherlands|niederlande|nederländerna|paesi bassi|países bajos"),
    ("be", "belgium|belgien|belgio|bélgica"),
    ("pl", "poland|polen|polonia"),
    ("ie", "ireland|irland|irlanda"),
    ("ca", "canada|kanada|canadá"),
    ("mx", "mexico|mexiko|messico|méxico"),
    ("au", "australia|australien"),
    ("in", "india|indien"),
];

/// The code of two letters of a country that is written as one of two or of three, or by its name, in lower case.
pub fn code(text: &str) -> Option<&'static str> {
    let text = match text {
        "uk" => "gb",
        other => other,
    };
    let both = CODES.split(' ').filter_map(|both| both.split_at_checked(2));
    let by_code = both.into_iter().find(|(two, three)| *two == text || *three == text).map(|(two, _)| two);
    let named = || NAMES.iter().find(|(_, names)| names.split('|').any(|n| n == text)).map(|(code, _)| *code);
    by_code.or_else(named)
}

/// What is said of anything else.
pub(super) fn unknown(text: &str) -> (Code, String, String) {
    let help = "write a code of ISO 3166-1: country:se, or country:swe";
    (Code::FieldValue, format!("`{text}` is no country"), help.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_two_and_of_three_letters() {
        assert_eq!(
            (code("gbr"), code("gb"), code("uk"), code("usa")),
            (Some("gb"), Some("gb"), Some("gb"), Some("us"))
        );
        assert_eq!((code("xx"), code("sverige"), code("")), (None, Some("se"), None));
        assert_eq!(CODES.split(' ').count(), 250);
        assert!(CODES.split(' ').all(|both| both.len() == 5));
    }
}

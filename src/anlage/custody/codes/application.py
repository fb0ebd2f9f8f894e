"""The GS1 application identifiers: form, checks, pairings and our name for each.

One row each: number or range; `p` when its length is fixed in advance, so that no separator is
needed, and `q` when it may stand in the query of a Digital Link; components; what it must stand
with; what it may not stand with; its part as the key of a Digital Link; our name; our words.

Components are `N`, `X`, `Y`, `Z` (digits, GS1 set 82, set 39, base64url) with a length, or `..` and
a greatest length, or in brackets when they may be absent, then the names of checks. The forms and
pairings are facts of the GS1 General Specifications, as in GS1's syntax dictionary (Apache-2.0).
"""

import functools
import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One part of the value: its characters, its lengths and the checks it passes."""

    charset: str
    length_min: int
    length_max: int
    optional: bool
    checks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """One application identifier (AI)."""

    number: str
    name: str
    title: str
    predefined: bool
    in_query: bool
    components: tuple[Component, ...]
    requires: tuple[tuple[str, ...], ...]
    excludes: tuple[str, ...]
    qualifiers: tuple[tuple[str, ...], ...] | None

    @property
    def length_max(self) -> int:
        """The greatest length of the value."""
        return sum(component.length_max for component in self.components)


@functools.cache
def applications() -> dict[str, Application]:
    """Give every application identifier by its number."""
    known: dict[str, Application] = {}
    for row in _ROWS.strip().splitlines():
        numbers, flags, spec, requires, excludes, link, name, title = row.split(";")
        first, _, last = numbers.partition("-")
        for number in range(int(first), int(last or first) + 1):
            ai = str(number).zfill(len(first))
            known[ai] = Application(
                number=ai,
                name=name,
                title=title,
                predefined="p" in flags,
                in_query="q" in flags,
                components=tuple(_components(spec)),
                requires=tuple(tuple(group.split("+")) for group in requires.split(",") if group),
                excludes=tuple(pattern for pattern in excludes.split(",") if pattern),
                qualifiers=_qualifiers(link),
            )
    return known


def at_start(text: str) -> Application | None:
    """Give the application identifier that a text opens with."""
    known = applications()
    return next((known[text[:n]] for n in (2, 3, 4) if text[:n] in known), None)


def matches(pattern: str, number: str) -> bool:
    """Tell whether a number fits a pattern such as `310n`."""
    return len(pattern) == len(number) and all(
        p in ("n", c) for p, c in zip(pattern, number, strict=True)
    )


def _qualifiers(link: str) -> tuple[tuple[str, ...], ...] | None:
    if not link:
        return None
    orders = link.removeprefix("key").removeprefix("=")
    return tuple(tuple(order.split(",")) for order in orders.split("|")) if orders else ((),)


def _components(spec: str) -> list[Component]:
    found: list[Component] = []
    for word in spec.split():
        times, _, rest = word.rpartition("*")
        shape, *checks = rest.split(",")
        match = re.fullmatch(r"\[?([NXYZ])(\.\.)?(\d+)\]?", shape)
        if match is None:
            raise ValueError(f"component {word!r} of the table has no form")
        longest = int(match[3])
        component = Component(
            charset=match[1],
            length_min=1 if match[2] else longest,
            length_max=longest,
            optional=shape.startswith("["),
            checks=tuple(checks),
        )
        found += [component] * int(times or 1)
    return found


_ROWS = """
00;pq;N18,csum;;;key;sscc;Logistic unit (SSCC)
01;pq;N14,csum;;255,37;key=22,10,21|235;gtin;Trade item (GTIN)
02;pq;N14,csum;37;01,03;;content_gtin;Trade items held in a logistic unit
03;p-;N14,csum;;01,02,37,235;;made_to_order_gtin;Made-to-order trade item
10;-q;X..20;01,02,03,8006,8026;;;lot;Batch or lot
11;pq;N6,yymmd0;01,02,03,8006,8026;;;production_date;Made on
12;pq;N6,yymmd0;8020;;;payment_due;Payment due on
13;pq;N6,yymmd0;01,02,03,8006,8026;;;packed_on;Packed on
15;pq;N6,yymmd0;01,02,03,8006,8026;;;best_before;Best before
16;pq;N6,yymmd0;01,02,03,8006,8026;;;sell_by;Sell by
17;pq;N6,yymmd0;01,02,03,255,8006,8026;;;expiry;Expires on
20;pq;N2;01,02,03,8006,8026;;;variant;Internal product variant
21;--;X..20;01,03,8006;235;;serial;Serial number
22;--;X..20;01;;;consumer_variant;Consumer product variant
235;--;X..28;01;;;third_party_serial;Serial number controlled by a third party
240;-q;X..30;01,02,03,8006,8026;;;additional_id;Further product identification
241;-q;X..30;01,02,03,8006,8026;;;customer_part;Customer's part number
242;-q;N..6;01,02,8006,8026;;;made_to_order_variant;Made-to-order variation
243;-q;X..20;01,03;;;packaging_component;Packaging component number
250;-q;X..30;01+21,03+21,8006+21;;;second_serial;Serial number of a component
251;-q;X..30;01,03,8006;;;source_reference;Reference to the source entity
253;-q;N13,csum [X..17];;;key;document;Document (GDTI)
254;--;X..20;414;;;location_extension;Extension of a location (room, rack, position)
255;-q;N13,csum [N..12];;01,02,415,8006,8020,8026;key;coupon;Coupon (GCN)
30;-q;N..8;01,02;;;count;Variable count of items
3100-3105;pq;N6;01,02;310n;;net_weight_kg;Net weight, kg
3110-3115;pq;N6;01,02;311n;;length_m;Length, m
3120-3125;pq;N6;01,02;312n;;width_m;Width, m
3130-3135;pq;N6;01,02;313n;;height_m;Height, m
3140-3145;pq;N6;01,02;314n;;area_m2;Area, m2
3150-3155;pq;N6;01,02;315n;;net_volume_l;Net volume, L
3160-3165;pq;N6;01,02;316n;;net_volume_m3;Net volume, m3
3200-3205;pq;N6;01,02;320n;;net_weight_lb;Net weight, lb
3210-3215;pq;N6;01,02;321n;;length_in;Length, in
3220-3225;pq;N6;01,02;322n;;length_ft;Length, ft
3230-3235;pq;N6;01,02;323n;;length_yd;Length, yd
3240-3245;pq;N6;01,02;324n;;width_in;Width, in
3250-3255;pq;N6;01,02;325n;;width_ft;Width, ft
3260-3265;pq;N6;01,02;326n;;width_yd;Width, yd
3270-3275;pq;N6;01,02;327n;;height_in;Height, in
3280-3285;pq;N6;01,02;328n;;height_ft;Height, ft
3290-3295;pq;N6;01,02;329n;;height_yd;Height, yd
3300-3305;pq;N6;00,01;330n;;gross_weight_kg;Gross weight, kg
3310-3315;pq;N6;00,01;331n;;logistic_length_m;Logistic length, m
3320-3325;pq;N6;00,01;332n;;logistic_width_m;Logistic width, m
3330-3335;pq;N6;00,01;333n;;logistic_height_m;Logistic height, m
3340-3345;pq;N6;00,01;334n;;logistic_area_m2;Logistic area, m2
3350-3355;pq;N6;00,01;335n;;logistic_volume_l;Logistic volume, L
3360-3365;pq;N6;00,01;336n;;logistic_volume_m3;Logistic volume, m3
3370-3375;pq;N6;01;337n;;kg_per_m2;Mass per area, kg/m2
3400-3405;pq;N6;00,01;340n;;gross_weight_lb;Gross weight, lb
3410-3415;pq;N6;00,01;341n;;logistic_length_in;Logistic length, in
3420-3425;pq;N6;00,01;342n;;logistic_length_ft;Logistic length, ft
3430-3435;pq;N6;00,01;343n;;logistic_length_yd;Logistic length, yd
3440-3445;pq;N6;00,01;344n;;logistic_width_in;Logistic width, in
3450-3455;pq;N6;00,01;345n;;logistic_width_ft;Logistic width, ft
3460-3465;pq;N6;00,01;346n;;logistic_width_yd;Logistic width, yd
3470-3475;pq;N6;00,01;347n;;logistic_height_in;Logistic height, in
3480-3485;pq;N6;00,01;348n;;logistic_height_ft;Logistic height, ft
3490-3495;pq;N6;00,01;349n;;logistic_height_yd;Logistic height, yd
3500-3505;pq;N6;01,02;350n;;area_in2;Area, in2
3510-3515;pq;N6;01,02;351n;;area_ft2;Area, ft2
3520-3525;pq;N6;01,02;352n;;area_yd2;Area, yd2
3530-3535;pq;N6;00,01;353n;;logistic_area_in2;Logistic area, in2
3540-3545;pq;N6;00,01;354n;;logistic_area_ft2;Logistic area, ft2
3550-3555;pq;N6;00,01;355n;;logistic_area_yd2;Logistic area, yd2
3560-3565;pq;N6;01,02;356n;;net_weight_troy_oz;Net weight troy, oz
3570-3575;pq;N6;01,02;357n;;net_volume_fl_oz;Net volume fl, oz
3600-3605;pq;N6;01,02;360n;;net_volume_qt;Net volume, qt
3610-3615;pq;N6;01,02;361n;;net_volume_gal;Net volume, gal
3620-3625;pq;N6;00,01;362n;;logistic_volume_qt;Logistic volume, qt
3630-3635;pq;N6;00,01;363n;;logistic_volume_gal;Logistic volume, gal
3640-3645;pq;N6;01,02;364n;;net_volume_in3;Net volume, in3
3650-3655;pq;N6;01,02;365n;;net_volume_ft3;Net volume, ft3
3660-3665;pq;N6;01,02;366n;;net_volume_yd3;Net volume, yd3
3670-3675;pq;N6;00,01;367n;;logistic_volume_in3;Logistic volume, in3
3680-3685;pq;N6;00,01;368n;;logistic_volume_ft3;Logistic volume, ft3
3690-3695;pq;N6;00,01;369n;;logistic_volume_yd3;Logistic volume, yd3
37;-q;N..8;00+02,00+8026;;;content_count;Count of items in the logistic unit
3900-3909;-q;N..15;255,8020;390n,391n,394n,8111;;amount;Amount payable
3910-3919;-q;N3,iso4217 N..15;8020;391n;;amount_in_currency;Amount payable with currency
3920-3929;-q;N..15;01+30,01+31nn,01+32nn,01+35nn,01+36nn;392n,393n;;price;Price
3930-3939;-q;N3,iso4217 N..15;30,31nn,32nn,35nn,36nn;393n;;price_in_currency;Price with currency
3940-3943;-q;N4;255;394n,8111;;percent_off;Percent off
3950-3955;-q;N6;30,31nn,32nn,35nn,36nn;392n,393n,395n,8005;;price_per_measure;Price per unit
400;-q;X..30;;;;customer_order;Customer's order number
401;-q;X..30;;;key;consignment;Consignment (GINC)
402;-q;N17,csum;;;key;shipment;Shipment (GSIN)
403;-q;X..30;00;;;route;Routing code
410;pq;N13,csum;;;;ship_to;Ship to location
411;pq;N13,csum;;;;bill_to;Bill to party
412;pq;N13,csum;;;;bought_from;Bought from party
413;pq;N13,csum;;;;ship_for;Ship for location
414;pq;N13,csum;;;key=254|7040;location;Physical location (GLN)
415;pq;N13,csum;8020;;key=8020;invoicing_party;Invoicing party
416;pq;N13,csum;;;;production_location;Made or served at
417;pq;N13,csum;;;key=7040;party;Party (GLN)
420;-q;X..20;;421;;ship_to_postcode;Ship to postal code
421;-q;N3,iso3166 X..9;;4307;;ship_to_country_postcode;Ship to country and postal code
422;-q;N3,iso3166;01,02,03,8006,8026;426;;origin;Country of origin
423;-q;N3,iso3166 4*[N3],iso3166;01,02,03;426;;first_process_countries;Countries of first processing
424;-q;N3,iso3166;01,02,03;426;;process_country;Country of processing
425;-q;N3,iso3166 4*[N3],iso3166;01,02,03;426;;disassembly_countries;Countries of disassembly
426;-q;N3,iso3166;01,02,03;;;full_process_country;Country of the whole process chain
427;-q;X..3;01+422,02+422,03+422;;;origin_subdivision;Region of origin
4300;-q;X..35,pcenc;00;;;ship_to_company;Ship to company
4301;-q;X..35,pcenc;00;;;ship_to_contact;Ship to contact
4302;-q;X..70,pcenc;00;;;ship_to_address_1;Ship to address, line 1
4303;-q;X..70,pcenc;4302;;;ship_to_address_2;Ship to address, line 2
4304;-q;X..70,pcenc;00;;;ship_to_suburb;Ship to suburb
4305;-q;X..70,pcenc;00;;;ship_to_locality;Ship to locality
4306;-q;X..70,pcenc;00;;;ship_to_region;Ship to region
4307;-q;X2,iso3166alpha2;00;;;ship_to_country;Ship to country
4308;-q;X..30;00;;;ship_to_phone;Ship to telephone
4309;-q;N10,latitude N10,longitude;00;;;ship_to_position;Ship to geographic position
4310;-q;X..35,pcenc;00;;;return_to_company;Return to company
4311;-q;X..35,pcenc;00;;;return_to_contact;Return to contact
4312;-q;X..70,pcenc;00;;;return_to_address_1;Return to address, line 1
4313;-q;X..70,pcenc;4312;;;return_to_address_2;Return to address, line 2
4314;-q;X..70,pcenc;00;;;return_to_suburb;Return to suburb
4315;-q;X..70,pcenc;00;;;return_to_locality;Return to locality
4316;-q;X..70,pcenc;00;;;return_to_region;Return to region
4317;-q;X2,iso3166alpha2;00;;;return_to_country;Return to country
4318;-q;X..20;00;;;return_to_postcode;Return to postal code
4319;-q;X..30;00;;;return_to_phone;Return to telephone
4320;-q;X..35,pcenc;00;;;service;Description of the service code
4321;-q;N1,yesno;00;;;dangerous_goods;Dangerous goods
4322;-q;N1,yesno;00;;;may_be_left;May be left unattended
4323;-q;N1,yesno;00;;;signature_needed;Signature needed
4324;-q;N6,yymmd0 N4,hhmi;00;;;deliver_not_before;Do not deliver before
4325;-q;N6,yymmd0 N4,hhmi;00;;;deliver_not_after;Do not deliver after
4326;-q;N6,yymmdd;00;;;release_date;Released on
4330;-q;N6 [X1],hyphen;00;4331;;temperature_max_f;Highest temperature, degF
4331;-q;N6 [X1],hyphen;00;4330;;temperature_max_c;Highest temperature, degC
4332;-q;N6 [X1],hyphen;00;4333;;temperature_min_f;Lowest temperature, degF
4333;-q;N6 [X1],hyphen;00;4332;;temperature_min_c;Lowest temperature, degC
7001;-q;N13;01,02,8006,8026;;;nato_stock_number;NATO stock number
7002;-q;X..30;01,02;;;meat_cut;Meat cut
7003;-q;N6,yymmdd N4,hhmi;01,02,03;;;expiry_time;Expires at
7004;-q;N..4;01+10,03+10;;;active_potency;Active potency
7005;-q;X..12;01,02;;;catch_area;Catch area
7006;-q;N6,yymmdd;01,02;;;first_frozen;First frozen on
7007;-q;N6,yymmdd [N6],yymmdd;01,02;;;harvested;Harvested on
7008;-q;X..3;01,02;;;aquatic_species;Aquatic species
7009;-q;X..10;01,02;;;fishing_gear;Fishing gear
7010;-q;X..2;01,02,03;;;production_method;Production method
7011;-q;N6,yymmdd [N4],hhmi;01,02,03;;;test_by;Test by
7020;-q;X..20;01+416,03+416,8006+416;;;refurbishment_lot;Refurbishment lot
7021;-q;X..20;01,03,8006;;;functional_status;Functional status
7022;-q;X..20;01+7021,03+7021,8006+7021;;;revision_status;Revision status
7023;-q;X..30;;;;assembly_asset;Asset of an assembly
7030;-q;N3,iso3166999 X..27;01,02;;;processor_0;Processor and approval number 0
7031;-q;N3,iso3166999 X..27;01,02;;;processor_1;Processor and approval number 1
7032;-q;N3,iso3166999 X..27;01,02;;;processor_2;Processor and approval number 2
7033;-q;N3,iso3166999 X..27;01,02;;;processor_3;Processor and approval number 3
7034;-q;N3,iso3166999 X..27;01,02;;;processor_4;Processor and approval number 4
7035;-q;N3,iso3166999 X..27;01,02;;;processor_5;Processor and approval number 5
7036;-q;N3,iso3166999 X..27;01,02;;;processor_6;Processor and approval number 6
7037;-q;N3,iso3166999 X..27;01,02;;;processor_7;Processor and approval number 7
7038;-q;N3,iso3166999 X..27;01,02;;;processor_8;Processor and approval number 8
7039;-q;N3,iso3166999 X..27;01,02;;;processor_9;Processor and approval number 9
7040;--;N1 X1 X1 X1,importeridx;;;;unique_extension;Identification extension
7041;--;X..4,packagetype;00;;;freight_unit_type;Freight unit type
710;-q;X..20;01;;;national_number_de;National healthcare number, Germany
711;-q;X..20;01;;;national_number_fr;National healthcare number, France
712;-q;X..20;01;;;national_number_es;National healthcare number, Spain
713;-q;X..20;01;;;national_number_br;National healthcare number, Brazil
714;-q;X..20;01;;;national_number_pt;National healthcare number, Portugal
715;-q;X..20;01;;;national_number_us;National healthcare number, United States
716;-q;X..20;01;;;national_number_it;National healthcare number, Italy
717;-q;X..20;01;;;national_number_cr;National healthcare number, Costa Rica
7230;-q;X2 X..28;01,8004;;;certification_1;Certification reference 1
7231;-q;X2 X..28;01,8004;;;certification_2;Certification reference 2
7232;-q;X2 X..28;01,8004;;;certification_3;Certification reference 3
7233;-q;X2 X..28;01,8004;;;certification_4;Certification reference 4
7234;-q;X2 X..28;01,8004;;;certification_5;Certification reference 5
7235;-q;X2 X..28;01,8004;;;certification_6;Certification reference 6
7236;-q;X2 X..28;01,8004;;;certification_7;Certification reference 7
7237;-q;X2 X..28;01,8004;;;certification_8;Certification reference 8
7238;-q;X2 X..28;01,8004;;;certification_9;Certification reference 9
7239;-q;X2 X..28;01,8004;;;certification_10;Certification reference 10
7240;-q;X..20;01,8006;03;;protocol;Clinical protocol
7241;-q;N2,mediatype;8017,8018;;;media_type;AIDC media type
7242;-q;X..25;8017,8018;;;version_control;Version control number
7250;-q;N8,yyyymmdd;8018;7251;;birth_date;Born on
7251;-q;N8,yyyymmdd N4,hhmi;8018;7250;;birth_time;Born at
7252;-q;N1,iso5218;8018;;;biological_sex;Biological sex
7253;-q;X..40,pcenc;8017,8018;7256,7259;;family_name;Family name
7254;-q;X..40,pcenc;8017,8018;7256,7259;;given_name;Given name
7255;-q;X..10;8017,8018;7256,7259;;name_suffix;Name suffix
7256;-q;X..90,pcenc;8017,8018;;;full_name;Full name
7257;-q;X..70,pcenc;8018;;;person_address;Person's address
7258;-q;X3,posinseqslash;8018+7259;;;birth_sequence;Birth sequence
7259;-q;X..40,pcenc;8018;7256;;baby_of_family;Baby of family
8001;-q;N4,nonzero N5,nonzero N3,nonzero N1,winding N1;01;;;roll_dimensions;Roll dimensions
8002;-q;X..20;;;;mobile_phone;Mobile telephone
8003;-q;N1,zero N13,csum [X..16];;;key;returnable_asset;Returnable asset (GRAI)
8004;-q;X..30;;;key=7040;individual_asset;Individual asset (GIAI)
8005;-q;N6;01,02;;;price_per_unit;Price per unit
8006;-q;N14,csum N4,pieceoftotal;;01,03,37;key=22,10,21;piece;Piece of a trade item (ITIP)
8007;-q;X..34,iban;415;;;iban;Bank account
8008;-q;N6,yymmdd N2,hh [N2],mi [N2],ss;01,02,03;;;production_time;Made at
8009;-q;X..50;00,01,03;;;sensor_indicator;Optical sensor indicator
8010;-q;Y..30;;;key=8011;component_part;Component or part (CPID)
8011;--;N..12,nozeroprefix;8010;;;component_serial;Component's serial number
8012;-q;X..20;01,03,8006;;;software_version;Software version
8013;-q;X..25,csumalpha;;;key;model;Global model number (Basic UDI-DI)
8014;--;X..25,csumalpha,hasnondigit;01;;;master_udi;Master UDI-DI
8017;-q;N18,csum;;8018;key=8019;provider;Service provider (GSRN)
8018;-q;N18,csum;;8017;key=8019;recipient;Service recipient (GSRN)
8019;--;N..10;8017,8018;;;service_instance;Service relation instance (SRIN)
8020;--;X..25;415;;;payment_reference;Payment slip reference
8026;-q;N14,csum N4,pieceoftotal;37;02,03,8006;;content_piece;Pieces held in a logistic unit
8030;-q;Z..90;00,01+21,03+21,253,255,8003,8004,8006+21,8010+8011,8017,8018;;;signature;Signature
8040;--;N15;01+21;;;imei;IMEI
8041;--;N15;01+21+8040;;;imei_2;Second IMEI
8042;--;N32;01+21+8040;;;esim;Embedded SIM
8043;--;N18 [N..2];01+21+8040;;;psim;Physical SIM
8110;-q;X..70,couponcode;;;;coupon_na;Coupon for North America
8111;-q;N4;255;;;loyalty_points;Loyalty points
8112;-q;X..70,couponposoffer;;;;paperless_coupon;Paperless coupon for North America
8200;--;X..70;01;;;product_page;Product page
90;-q;X..30;;;;internal_90;Agreed between partners
91-99;-q;X..90;;;;internal;Internal to a company
"""

// Role: the institutions of 鹭湾市 (Luwan), a city that does not exist; every name is invented.
// The region code is that of the demo's insurer; no real institution is meant by any of them.

/** The city's administrative division, as the insurer's messages carry it. */
export const cityRegion = '350200';
export const cityName = '鹭湾市';

export interface CityHospital {
  /** The insurer's fixmedins_code: H + 11 digits. */
  code: string;
  name: string;
  /** 3 and 2: hospitals of that level; 1: first level and community centres. */
  level: 1 | 2 | 3;
  region: string;
}

const thirdLevel = [
  '鹭湾市第一人民医院',
  '鹭湾市中心医院',
  '鹭湾大学附属观澜医院',
  '鹭湾市中医院',
  '鹭湾市妇女儿童医院',
  '鹭湾市肿瘤医院',
  '鹭湾市心脑血管病医院',
  '鹭湾市眼科医院',
];

const secondLevel = [
  '潮音区医院',
  '望屿区人民医院',
  '青榕区医院',
  '白沙区中医院',
  '听涛区妇幼保健院',
  '鹭湾市口腔医院',
  '鹭湾市康复医院',
  '鹭湾市第三人民医院',
  '鹭湾市精神卫生中心',
];

const firstLevel = [
  '云栖镇卫生院',
  '月港镇卫生院',
  '石帆镇卫生院',
  '稻香镇卫生院',
  '沙溪农场医院',
  '鹭湾港务职工医院',
];

const communities = [
  ['潮音区', '观海 临港 灯塔 南堤 渔歌 船坞 银滩 海韵'],
  ['望屿区', '望屿 晨曦 榕荫 金桂 梅岭 碧湖 花溪 竹苑'],
  ['青榕区', '青榕 书院 钟楼 文塔 兰亭 石桥 古井 凤阳'],
  ['白沙区', '白沙 沙湾 椰风 澄澜 玉屏 霞光 汀洲 芦洲'],
  ['听涛区', '听涛 松鸣 鹤鸣 云岭 翠坪 枫林 丹霞'],
] as const;

const centreNames = communities.flatMap(([district, names]) =>
  names.split(' ').map((name) => `${district}${name}社区卫生服务中心`),
);

/** 23 hospitals (8 of level 3, 9 of level 2, 6 of level 1), numbered from 00001. */
export const hospitals: readonly CityHospital[] = [
  ...thirdLevel.map((name, i) => institution(1 + i, name, 3)),
  ...secondLevel.map((name, i) => institution(1 + thirdLevel.length + i, name, 2)),
  ...firstLevel.map((name, i) =>
    institution(1 + thirdLevel.length + secondLevel.length + i, name, 1),
  ),
];

/** 39 community centres, numbered from 00101. */
export const communityCentres: readonly CityHospital[] = centreNames.map((name, i) =>
  institution(101 + i, name, 1),
);

/** Every institution that takes part: what GET /v1/hospitals lists in a fresh sandbox. */
export const institutions: readonly CityHospital[] = [...hospitals, ...communityCentres];

function institution(number: number, name: string, level: 1 | 2 | 3): CityHospital {
  return {
    code: `H${cityRegion}${String(number).padStart(5, '0')}`,
    name,
    level,
    region: cityRegion,
  };
}
